"""Bytes sent to the server's own protocols, without a process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from clawsite.server.http import Http
from clawsite.server.websocket import WebSocket

STUCK_SECONDS = 0.5


async def no_content(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body and answers 204."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204})
    await send({"type": "http.response.body"})


@contextlib.asynccontextmanager
async def connected(
    app: Any,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the server, which is over when this is."""
    config = Config(app, lifespan="off", log_config=None, ws=WebSocket, ws_max_size=1 << 20)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Http(config, state, {}), "127.0.0.1", 0)
    async with asyncio.timeout(20), listening:
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            while state.connections or state.tasks:  # noqa: ASYNC110 - it has no event for us
                await asyncio.sleep(0)


async def answered(
    *pieces: bytes, app: Any = no_content, when_stuck: Callable[[int], None] | None = None
) -> bytes:
    """What is answered to these bytes, until the connection is closed. `when_stuck` is told once
    how many of them were taken when no more are."""
    answer = b""
    async with connected(app) as (reader, writer):

        async def send() -> None:
            with contextlib.suppress(ConnectionError):  # closed before it had taken everything
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()

        sending = asyncio.create_task(send())
        if when_stuck is not None:
            await asyncio.wait([sending], timeout=STUCK_SECONDS)
            left = writer.transport.get_write_buffer_size()
            when_stuck(sum(map(len, pieces)) - left)
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                answer += data
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    return answer
