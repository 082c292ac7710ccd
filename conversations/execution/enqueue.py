"""The queue as the transactions see it that make runs ready."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from conversations.models import Run

Enqueue: TypeAlias = Callable[[Sequence[Run]], None]
"""Called within the transaction that makes runs ready. Synchronous."""


def no_queue(runs: Sequence[Run]) -> None:
    """The queue of a single process: runs are submitted after the transaction, or found by
    recovery."""
