"""The objects of memories in the REST API."""

import msgspec

from wire.parse import Moment


class Memory(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A memory that an agent has of a visitor, under a key."""

    id: str
    visitor: str
    key: str
    content: str
    created_at: Moment


class MemoryPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Memories, the newest first; `next_cursor` is for `before`."""

    memories: list[Memory]
    next_cursor: str | None
