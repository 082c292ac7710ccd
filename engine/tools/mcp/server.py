"""An MCP server, as all runs of its organisation share it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from engine.http.guard import Guard
from engine.tools.mcp.base import Endpoint, NotBegun, Tool
from engine.tools.mcp.form import Ask

if TYPE_CHECKING:
    from engine.tools.mcp.connection import Connection, Progress

T = TypeVar("T")

LIST_SECONDS = 300.0
"""How long a list of tools is believed of a server that does not say when it changes."""

Find = Callable[[], Awaitable[Endpoint]]
"""Looks up where the server is, and with which credentials. Raises `ServerFailed`."""


class Server:
    """Connects when it is first needed. A connection that is lost, or whose session or credentials
    have ended, is replaced once for all calls that find that out. A call is made again only if the
    server has not begun with it, and only once."""

    def __init__(self, find: Find, guard: Guard | None, name: str = "") -> None:
        self.name, self._find, self._guard = name, find, guard
        self._connection: Connection | None = None
        self._opening: asyncio.Task[Connection] | None = None
        self._tools: list[Tool] = []
        self._stale = True
        self._listed_at = 0.0
        self._listing = asyncio.Lock()

    async def protocol_version(self) -> str:
        """The version of the protocol that the server speaks. Raises `ServerFailed`."""
        return (await self._connected(None)).protocol_version

    async def tools(self) -> list[Tool]:
        """The server's tools, as it has last listed them. Raises `ServerFailed`."""
        async with self._listing:
            if self._stale or time.monotonic() > self._listed_at + LIST_SECONDS:
                self._tools = await self._ask(self._list)
            return self._tools

    async def call(
        self,
        name: str,
        args: dict[str, Any],
        on_progress: "Progress",
        ask: Ask | None = None,
    ) -> dict[str, Any]:
        """The result of a call, as the protocol has it; `ask` asks the user in the middle of it.
        Raises `ServerFailed`."""
        return await self._ask(lambda connection: connection.call(name, args, on_progress, ask))

    async def aclose(self) -> None:
        """Close the connection."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._connection is not None:
            await self._connection.aclose()

    async def _ask(self, ask: "Callable[[Connection], Awaitable[T]]") -> T:
        connection = await self._connected(None)
        try:
            return await ask(connection)
        except NotBegun:
            return await ask(await self._connected(connection))

    async def _connected(self, useless: "Connection | None") -> "Connection":
        """The connection, opened anew if it is lost, or the one that is of no use any more."""
        connection = self._connection
        if connection is not None and connection is not useless and not connection.lost:
            return connection
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._opened)
        # Others wait for it too, so the cancel of one call does not end it.
        return await asyncio.shield(self._opening)

    def _opened(self, task: asyncio.Task[Any]) -> None:
        self._opening = None
        if not task.cancelled():
            task.exception()  # those that wait have it

    async def _open(self) -> "Connection":
        """A new connection beside the old one, which stays until its last call has ended."""
        # Loads the SDK: 55 MiB, and seconds in which the loop would do nothing else.
        await asyncio.to_thread(import_module, "engine.tools.mcp.connection")
        from engine.tools.mcp.connection import Connection

        connection = Connection(await self._find(), self._guard, self._note_change)
        await connection.open()
        old, self._connection, self._stale = self._connection, connection, True
        if old is not None:
            await old.retire()
        return connection

    async def _list(self, connection: "Connection") -> list[Tool]:
        # A change that comes while the server answers makes the list stale again.
        self._stale, self._listed_at = False, time.monotonic()
        try:
            return await connection.tools()
        except BaseException:
            self._stale = True
            raise

    def _note_change(self) -> None:
        self._stale = True
