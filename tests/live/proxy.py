"""A network that breaks: forwards to a server, and resets connections after so many bytes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from tests.live.clients import linger


@contextlib.asynccontextmanager
async def breaking_network(port: int, cuts: Sequence[int]) -> AsyncIterator[int]:
    """The port of a proxy to `port`: the first connections are reset after as many bytes to the
    client as `cuts` says, one number each; later ones live."""
    left = list(cuts)

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _forward(port, reader, writer, left.pop(0) if left else None)

    async with _listening(forward) as proxy:
        yield proxy
    assert not left, "the clients came back less often than they were cut"


@contextlib.asynccontextmanager
async def silent_network(port: int) -> AsyncIterator[int]:
    """The port of a proxy to `port` that brings nothing back on its first connection."""
    silent = True

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal silent
        first, silent = silent, False
        if not first:
            return await _forward(port, reader, writer, None)
        _, to_server = await asyncio.open_connection("127.0.0.1", port)
        try:
            await _copy(reader, to_server)
        finally:
            for end in (writer, to_server):
                end.close()

    async with _listening(forward) as proxy:
        yield proxy


@contextlib.asynccontextmanager
async def _listening(
    forward: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """The port at which each connection is handed to `forward`."""
    connections: set[asyncio.Future[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(forward(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as proxy:
        yield proxy.sockets[0].getsockname()[1]
        proxy.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _forward(
    port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None
) -> None:
    server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
    asking = asyncio.create_task(_copy(reader, server_writer))
    try:
        if await _copy(server_reader, writer, limit):
            for end in (writer, server_writer):
                linger(end.get_extra_info("socket"))
                end.transport.abort()
    finally:
        for end in (writer, server_writer):
            end.close()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None = None
) -> bool:
    """Copy until the end; True if `limit` bytes were reached before."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536 if limit is None else min(limit, 65536)):
            writer.write(data)
            await writer.drain()
            if limit is not None and (limit := limit - len(data)) <= 0:
                return True
        writer.write_eof()
    return False
