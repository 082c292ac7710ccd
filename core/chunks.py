"""Long lists in pieces that one statement can take."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

MAX_VARIABLES = 999
"""Values in one statement. SQLite before 3.32 takes no more, PostgreSQL's protocol 65535."""


def chunks(items: Sequence[T], width: int = 1) -> Iterator[Sequence[T]]:
    """`items` in order, in pieces of as many as one statement can take where each item needs
    `width` values. The last piece may be shorter; no items are no pieces."""
    size = max(1, MAX_VARIABLES // width)
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]
