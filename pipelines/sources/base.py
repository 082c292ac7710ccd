"""The interface of every source."""

from collections.abc import AsyncGenerator
from typing import Any, NamedTuple, Protocol

from pipelines.graph.items import Item

MAX_READ = 500
"""Items that are read at once."""


class Read(NamedTuple):
    """Some items, and the position after them, which is JSON. `problem` is for people."""

    items: list[Item]
    position: Any
    problem: str | None = None


class Source(Protocol):
    """Where items come from."""

    def items(self, position: Any) -> AsyncGenerator[Read, None]:
        """What comes after a position; None is the beginning. It ends only by being closed, and
        reads no further than it was asked: whoever asks for nothing more slows it down. Raises
        `Unavailable`."""
        ...
