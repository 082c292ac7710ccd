"""The sockets and streams that this process holds open, so that they can be told and cut, and the
requests that wait for a whole answer."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from typing import Protocol

from engine.errors import ClawError


class Connection(Protocol):
    """A WebSocket or an SSE response."""

    key_id: str | None
    """The API key it was opened with, or None before it is authenticated."""

    def cut(self, error: ClawError) -> None:
        """End it now, saying why. Does not wait."""
        ...

    def announce_shutdown(self) -> None:
        """Tell the client to come back, then end. Does not wait."""
        ...


class Connections:
    """All open connections of this process."""

    def __init__(self) -> None:
        self._open: set[Connection] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._waiting = 0
        self._answered = asyncio.Event()
        self._answered.set()

    def add(self, connection: Connection) -> None:
        self._open.add(connection)
        self._empty.clear()

    def discard(self, connection: Connection) -> None:
        self._open.discard(connection)
        if not self._open:
            self._empty.set()

    def __len__(self) -> int:
        return len(self._open)

    def key_ids(self) -> set[str]:
        """The keys in use."""
        return {connection.key_id for connection in self._open if connection.key_id}

    def cut(self, key_ids: Iterable[str], error: ClawError) -> None:
        """End every connection of these keys."""
        ended = set(key_ids)
        for connection in [c for c in self._open if c.key_id in ended]:
            connection.cut(error)

    async def shut_down(self, patience: float) -> None:
        """The process is going away: tell all, and give them `patience` seconds to leave."""
        for connection in list(self._open):
            connection.announce_shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._empty.wait()

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """A request that cannot come back to its answer: see `answered`."""
        self._waiting += 1
        self._answered.clear()
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._answered.set()

    async def answered(self, patience: float) -> None:
        """Return when no request waits any more, or after `patience` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._answered.wait()
