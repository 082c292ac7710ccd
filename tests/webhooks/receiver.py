"""A receiver of webhooks on loopback: it checks signatures with the library that receivers use."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from standardwebhooks.webhooks import Webhook as Verifier

from tests.engine.http.servers import serving

SOON = 20.0
TAKEN = "200 OK"


class Receiver:
    """Answers with the status lines of `answers` in turn, the last one for ever; None: never."""

    def __init__(self, *answers: str | None) -> None:
        self.answers = list(answers or (TAKEN,))
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.url = ""
        self._arrived = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
        headers = {name.lower(): value for name, _, value in lines}
        body = await reader.readexactly(int(headers["content-length"]))
        async with self._arrived:
            self.requests.append((headers, body))
            self._arrived.notify_all()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            await reader.read()  # until the sender leaves
            return
        writer.write(f"HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()

    async def got(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        """The first requests, once there are so many."""
        async with asyncio.timeout(SOON), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests[:count]

    def verified(self, secret: str, number: int = 0) -> Any:
        """The message of a request. Raises WebhookVerificationError unless the secret signed it."""
        headers, body = self.requests[number]
        return Verifier(secret).verify(body, headers)


@asynccontextmanager
async def receiving(*answers: str | None) -> AsyncIterator[Receiver]:
    receiver = Receiver(*answers)
    async with serving(receiver.serve) as server:
        receiver.url = f"http://127.0.0.1:{server.port}/hook"
        yield receiver
