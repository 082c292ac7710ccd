"""The sockets and streams that this process holds open, so that they can be told and cut, and the
requests that wait for a whole answer."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from django.utils import timezone

from agents.caller import Caller
from engine.errors import ClawError
from engine.ids import new_id
from wire import feed


class Connection(Protocol):
    """A WebSocket or an SSE response."""

    @property
    def caller(self) -> Caller | None:
        """The caller of the connection, with the rights that it had when these were last looked at;
        None before it is authenticated."""
        ...

    @property
    def transport(self) -> str | None:
        """The name of the transport in the command center; None if the connection is not shown."""
        ...

    async def look_again(self) -> None:
        """Go on with the rights of now; end what these do not allow. Raises ClawError, which ends
        it all, and `Unavailable`."""
        ...

    def cut(self, error: ClawError) -> None:
        """End it now, saying why. Does not wait."""
        ...

    def announce_shutdown(self) -> None:
        """Tell the client to come back, then end. Does not wait."""
        ...


class Connections:
    """All open connections of this process."""

    def __init__(self) -> None:
        self._open: dict[Connection, tuple[str, datetime]] = {}  # each with an id, and since when
        self._empty = asyncio.Event()
        self._empty.set()
        self._waiting = 0
        self._answered = asyncio.Event()
        self._answered.set()

    def add(self, connection: Connection) -> None:
        self._open[connection] = new_id("conn"), timezone.now()
        self._empty.clear()

    def discard(self, connection: Connection) -> None:
        self._open.pop(connection, None)
        if not self._open:
            self._empty.set()

    def __len__(self) -> int:
        return len(self._open)

    def callers(self) -> list[tuple[Connection, Caller]]:
        """Those whose owner is known, with it."""
        return [(each, caller) for each in self._open if (caller := each.caller) is not None]

    def shown(self, organization_id: str) -> list[feed.OpenConnection]:
        """Those of an organisation, as its command center shows them."""
        return [
            feed.OpenConnection(
                id=id_,
                agent_id=caller.agent.id if caller.agent else None,
                transport=one.transport,
                principal=caller.principal.id,
                since=since,
            )
            for one, (id_, since) in self._open.items()
            if (caller := one.caller) is not None
            and one.transport is not None
            and caller.principal.organization_id == organization_id
        ]

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
