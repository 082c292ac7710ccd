"""The parts of limits: slots that are held, and events in sliding windows of time.

The doors choose the names (`engine.ids.joined`: `socket:<agent>`, `auth:<address>`). Every
backend counts exactly, also when many ask at the same moment."""

from dataclasses import dataclass
from typing import Protocol

MINUTE = 60.0
DAY = 24 * 60 * 60.0


@dataclass(frozen=True)
class Window:
    """At most `limit` events of this name in any `seconds`."""

    name: str
    limit: int
    seconds: float = MINUTE


class Limits(Protocol):
    """Counters that all serving processes share."""

    async def acquire(self, name: str, limit: int) -> bool:
        """Take one of `limit` slots; False if all are taken. A slot dies with its process."""
        ...

    async def release(self, name: str) -> None:
        """Give a slot back."""
        ...

    async def admit(self, *windows: Window) -> int:
        """Count one event in all of these windows: 0 if all of them allow it, else the
        milliseconds until all do. A refused event is counted nowhere."""
        ...
