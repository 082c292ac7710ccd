"""The MCP servers that this process is connected to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.http.guard import Guard
from engine.tools.mcp.base import Command, Endpoint, ServerFailed
from engine.tools.mcp.server import Find, Server

MAX_SERVERS = 500
"""Bounds the connections and programs of a process."""
MAX_OF_ONE = 50
"""Of one organisation."""
IDLE_SECONDS = 300.0
"""How long a connection is kept that no run uses. A program ends with the last run that uses it."""

Key = tuple[str, Endpoint]


class ServerPool:
    """One `Server` for each organisation and endpoint: no two organisations share a connection."""

    def __init__(self, guard: Guard | None) -> None:
        self._guard = guard
        self._servers: dict[Key, Server] = {}
        self._users: dict[Key, int] = {}
        self._closing: dict[Key, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def use(self, organization_id: str, find: Find) -> AsyncIterator[Server]:
        """The server that `find` finds, for as long as the context is. Raises `ServerFailed`."""
        key = organization_id, await find()
        if key not in self._servers:
            self._make_room(organization_id)
            self._servers[key] = Server(find, self._guard, key[1].name)
        if closing := self._closing.pop(key, None):
            closing.cancel()
        self._users[key] = self._users.get(key, 0) + 1
        try:
            yield self._servers[key]
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key]
                wait = 0.0 if isinstance(key[1].at, Command) else IDLE_SECONDS
                self._closing[key] = asyncio.create_task(self._close(key, wait))

    async def aclose(self) -> None:
        """Close all of them."""
        for closing in self._closing.values():
            closing.cancel()
        self._closing.clear()
        for key in list(self._servers):
            self._end(key)
        await asyncio.gather(*self._ending)

    async def _close(self, key: Key, wait: float) -> None:
        await asyncio.sleep(wait)
        del self._closing[key]
        self._end(key)

    def _end(self, key: Key) -> None:
        """Close a server in a task of its own: a run that needs it gets another one from now on."""
        ending = asyncio.create_task(self._servers.pop(key).aclose())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    def _make_room(self, organization_id: str) -> None:
        """Close what has rested longest if there are too many. Raises `ServerFailed` if none of
        them rests."""
        mine = sum(1 for key in self._servers if key[0] == organization_id)
        if mine < MAX_OF_ONE and len(self._servers) < MAX_SERVERS:
            return
        resting = [key for key in self._closing if mine < MAX_OF_ONE or key[0] == organization_id]
        if not resting:
            raise ServerFailed("Too many MCP servers are in use. Try again later.")
        self._closing.pop(resting[0]).cancel()
        self._end(resting[0])
