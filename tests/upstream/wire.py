"""Events on their way to the caller, in the pieces that a test wants."""

import asyncio
import json
from typing import Any

from tests.upstream.connection import Connection, head

STREAM = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "transfer-encoding": "chunked",
    "request-id": "req_1",
}


class Wire:
    """The body of one response."""

    def __init__(self, connection: Connection, *, split: int, coalesce: int) -> None:
        self.connection, self.split, self.coalesce = connection, split, coalesce
        self.held = bytearray()

    async def begin(self, status: int = 200) -> None:
        await self.connection.write(head(status, STREAM))

    async def event(self, name: str, **fields: Any) -> None:
        data = json.dumps({"type": name, **fields}, ensure_ascii=False)
        await self.put(f"event: {name}\ndata: {data}\n\n".encode())

    async def data(self, body: dict[str, Any]) -> None:
        """An event without a name."""
        await self.put(f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode())

    async def put(self, data: bytes) -> None:
        """One HTTP chunk."""
        frame = b"%x\r\n%b\r\n" % (len(data), data)
        if self.coalesce:
            self.held += frame
        else:
            await self.write(frame)

    async def write(self, frame: bytes) -> None:
        size = self.split or len(frame)
        for start in range(0, len(frame), size):
            await self.connection.write(frame[start : start + size])
            if self.split:
                await asyncio.sleep(0)  # lets a reader in this process see every piece

    async def flush(self) -> None:
        await self.connection.write(bytes(self.held))
        self.held.clear()

    async def end(self) -> None:
        """The end of the body, properly."""
        self.held += b"0\r\n\r\n"
        await self.flush()

    async def endless(self) -> None:
        """A line that never ends."""
        while True:
            await self.put(b"x" * 65536)
            await asyncio.sleep(0)
