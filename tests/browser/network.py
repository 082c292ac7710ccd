"""A network between the browser and the server: it can be cut, and it may not know WebSockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Network:
    """Forwards to a port of this machine, as long as it is up."""

    def __init__(self, port: int, *, websockets: bool = True) -> None:
        self._port, self._websockets = port, websockets
        self._connections: set[asyncio.Task[None]] = set()
        self._sockets: set[asyncio.Task[None]] = set()
        self._up = True
        self.refused = 0
        self.url = ""

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["Network"]:
        """Listens on a port of its own until the block ends."""
        async with await asyncio.start_server(self._connected, "127.0.0.1", 0) as listener:
            self.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
            yield self
            listener.close()
            await self.cut()

    async def cut(self) -> None:
        """Every connection is reset, and none is made any more."""
        self._up = False
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def hang(self) -> None:
        """Every WebSocket stays open, and hears nothing any more; new ones do."""
        for task in self._sockets:
            task.cancel()

    def mend(self) -> None:
        """Connections are made again."""
        self._up = True

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._forward(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._up:
            writer.transport.abort()
            return
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._port)
        answering = asyncio.create_task(_copy(server_reader, writer))
        try:
            while data := await reader.read(65536):
                if b"upgrade: websocket" in data.lower():
                    if not self._websockets:
                        self.refused += 1
                        writer.write(REFUSAL)
                        break
                    self._sockets.add(answering)
                    answering.add_done_callback(self._sockets.discard)
                server_writer.write(data)
        except OSError:
            pass  # the browser has closed it in its own way
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
            server_writer.close()
            if self._up:
                writer.close()
            else:
                writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
