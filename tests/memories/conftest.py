"""The application as a whole."""

from tests.conversations.conftest import services as services
