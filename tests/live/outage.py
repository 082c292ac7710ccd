"""A server that goes away and comes back, and clients that insist."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from tests.live.watching import BROKEN


class Insistent(Protocol):
    """A client that comes back until it is `done`."""

    @property
    def done(self) -> bool: ...


class Outage:
    """When the server is up; it is due to go when clients have seen `patience` events."""

    def __init__(self, patience: int = 0) -> None:
        self.up = asyncio.Event()
        self.due = asyncio.Event()
        self.patience = patience
        self._events = 0

    def seen(self) -> None:
        """Somebody has seen something: is it time for the next kill?"""
        self._events += 1
        if self._events >= self.patience:
            self.due.set()

    async def insist(
        self, watch: Insistent, connect: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """Connect again and again until it has seen all, whenever the server is up."""
        while not watch.done:
            await self.up.wait()
            try:
                await connect()
            except BROKEN:
                await asyncio.sleep(0)  # the kill is noticed here before `up` is cleared, at times
