"""A receiver of items on loopback that keeps its connections open, as real ones do."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.engine.http.servers import serving

SOON = 60.0


class Receiver:
    """Answers with the status line that `answer` makes of a body; None: never."""

    def __init__(self, answer: Callable[[Any], str | None]) -> None:
        self.answer = answer
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.url = ""
        self.open: list[asyncio.StreamWriter] = []
        self._arrived = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.append(writer)
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
            except asyncio.IncompleteReadError:
                return
            lines = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
            headers = {name.lower(): value for name, _, value in lines}
            body = json.loads(await reader.readexactly(int(headers["content-length"])))
            answer = self.answer(body)
            async with self._arrived:
                self.requests.append((head.split(" ")[1], headers, body))
                self._arrived.notify_all()
            if answer is None:
                await reader.read()  # until the sender leaves
                return
            status, _, text = answer.partition("\n")
            more = "location: http://127.0.0.1:9/\r\n" if status.startswith("3") else ""
            length = f"content-length: {len(text)}\r\n\r\n"
            writer.write(f"HTTP/1.1 {status}\r\n{more}{length}{text}".encode())
            await writer.drain()

    def leave(self) -> None:
        """Close the connections that are still open."""
        for writer in self.open:
            writer.close()

    @property
    def bodies(self) -> list[Any]:
        return [body for _, _, body in self.requests]

    async def got(self, count: int) -> list[tuple[str, dict[str, str], Any]]:
        """The first requests, once there are so many."""
        async with asyncio.timeout(SOON), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests[:count]


@asynccontextmanager
async def receiving(
    answer: Callable[[Any], str | None] = lambda body: "200 OK",
) -> AsyncIterator[Receiver]:
    receiver = Receiver(answer)
    async with serving(receiver.serve) as server:
        receiver.url = f"http://127.0.0.1:{server.port}/hook"
        try:
            yield receiver
        finally:
            receiver.leave()
