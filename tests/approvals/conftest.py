"""A bank whose payments somebody must approve, in the application as a whole."""

from tests.conversations.conftest import caller as caller
from tests.conversations.conftest import foreign_caller as foreign_caller
from tests.conversations.conftest import services as services
from tests.conversations.execution.waiting.conftest import approver as approver
from tests.conversations.execution.waiting.conftest import bank as bank
