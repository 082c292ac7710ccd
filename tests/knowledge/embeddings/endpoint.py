"""An embeddings endpoint on loopback, in the wire format of OpenAI's API. Its vectors count the
trigrams of a text's characters: words that share parts are near, in any form and language."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from knowledge.search.terms import folded
from tests.engine.http.servers import serving

DIMENSIONS = 1024


def trigrams(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """The vector of a text; the mean is taken off, so half of the signs are negative."""
    counts, words = [0.0] * dimensions, f"  {' '.join(folded(text).split())}  "
    for i in range(len(words) - 2):
        counts[zlib.crc32(words[i : i + 3].encode()) % dimensions] += 1
    mean = sum(counts) / dimensions
    return [count - mean for count in counts]


class Endpoint:
    """`requests`: the heads and bodies that came. `answers`: what the next ones get, as a status
    and a body; then vectors, of the model that is asked for."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[tuple[int, bytes]] = []
        self.dimensions = DIMENSIONS

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            (length,) = (
                int(line.split(":")[1])
                for line in head.split("\r\n")
                if line.startswith("content-length:")
            )
            body = json.loads(await reader.readexactly(length))
            self.requests.append((head, body))
            status, content = self.answers.pop(0) if self.answers else (200, self.vectors(body))
            answer = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n"
            writer.write(f"{answer}content-length: {len(content)}\r\n\r\n".encode() + content)
            await writer.drain()

    def vectors(self, body: dict[str, Any]) -> bytes:
        data = [
            {"object": "embedding", "index": i, "embedding": trigrams(text, self.dimensions)}
            for i, text in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": 8, "total_tokens": 8}
        return json.dumps(
            {"object": "list", "data": data[::-1], "model": body["model"], "usage": usage}
        ).encode()

    @property
    def texts(self) -> Sequence[str]:
        """All texts that were given."""
        return [text for _, body in self.requests for text in body["input"]]


@asynccontextmanager
async def embedding() -> AsyncIterator[Endpoint]:
    """An endpoint that serves."""
    found = Endpoint()
    async with serving(found.serve) as server:
        found.url = f"http://127.0.0.1:{server.port}/v1"
        yield found
