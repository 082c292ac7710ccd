"""The rows that statements are tried on are those of conversations."""

from tests.conversations.conftest import caller

__all__ = ["caller"]
