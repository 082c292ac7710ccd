"""The content of a feed, and the promises of every store (tests/conversations/feed/contract.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol

MAX_EVENTS = 20_000
"""Events of one organisation: about an hour of five runs a second. Older ones are forgotten."""
MAX_BYTES = 16 * 1024 * 1024
"""The same, in bytes of their JSON."""
UNREAD = 3600.0
"""Seconds, beyond the retention, for which events are kept though nobody reads them."""


class Phase(IntEnum):
    """The place of an event in the life of its subject."""

    OPENS = 0
    GOES_ON = 1
    CLOSES = 2


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `data` is one line of JSON.

    `subject` is the id of what it happened to. A store keeps the first event that opens a subject,
    then what goes on, then the first event that closes it; it drops any other event of the
    subject. So each of many writers may announce a subject before it says more about it."""

    type: str
    agent_id: str
    subject: str
    phase: Phase
    data: bytes


class Kept(NamedTuple):
    """An event in a store. `cursor` is the position after it."""

    cursor: str
    event: Event


class CursorLost(Exception):
    """The events after this cursor are not all kept, or it never was one."""


class Store(Protocol):
    """The events of all organisations, each organisation's in one order.

    It keeps the events of an organisation from the first `begin` on, until nothing was read of them
    for the retention and `UNREAD` seconds: a feed without followers costs nothing. It keeps
    `MAX_EVENTS` and `MAX_BYTES` of an organisation at most, and none that is older than the
    retention. Every method raises `Unavailable` while the backend does not answer."""

    async def begin(self, organization_id: str) -> bool:
        """Keep what happens in an organisation from now on. Returns whether that is new: then
        subjects that are open are not known."""
        ...

    async def append(self, number: int, events: Mapping[str, Sequence[Event]]) -> None:
        """Keep events, by organisation, after all that are there.

        `number` counts the calls of this store object. A call that is repeated with its number,
        because it failed, keeps its events once."""
        ...

    async def read(self, organization_id: str, after: str, limit: int) -> list[Kept]:
        """The next events after a cursor, at most `limit`. Raises `CursorLost`."""
        ...

    async def newest(self, organization_id: str) -> str:
        """The cursor after the organisation's last event: what is read after it is new. It begins
        to keep events, like `begin`."""
        ...

    async def oldest(self, organization_id: str) -> str:
        """The cursor before the organisation's first event that is kept. It begins to keep events,
        like `begin`."""
        ...

    async def lose(self, organization_id: str) -> None:
        """Declare the history incomplete: every cursor that was given before is lost."""
        ...

    async def note(self, organization_id: str, progress: Mapping[str, bytes]) -> None:
        """Remember the latest progress of open subjects, until they are closed. It is no event."""
        ...

    async def noted(self, organization_id: str) -> dict[str, bytes]:
        """The latest progress of each open subject that has any."""
        ...

    async def unclosed(self) -> list[str]:
        """All subjects that are open, of all organisations."""
        ...

    async def trim(self) -> None:
        """Forget what is older than the retention."""
        ...

    async def aclose(self) -> None:
        """Give back connections."""
        ...
