"""The client of an embeddings endpoint (https://platform.openai.com/docs/api-reference/embeddings,
read 2026-11), which many servers have: OpenAI, Ollama, vLLM and llama.cpp."""

import asyncio
import random
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from engine.http.connection import Idle
from engine.http.guard import AddressRefused, Guard
from engine.http.http1 import Broken
from engine.http.pool import Pool
from knowledge.embeddings.vectors import Vector, vector

IN_ONE_REQUEST = 64
"""Texts; OpenAI takes 2048, others as many as their memory allows."""
MAX_CHARACTERS = 4000
"""Of one text: more than a passage has with its heading, and less than models take."""
MAX_ANSWER = 32 * 1024 * 1024
"""Bytes: 64 vectors of 8192 dimensions in decimal digits are 12 MiB."""
RETRIES = 2
FIRST_WAIT = 0.5
"""Seconds before the first retry; it doubles."""
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


class Endpoint(NamedTuple):
    """A server, the model that makes the vectors, and the key, which may be empty. `guard` checks
    the address, unless the operator has named it."""

    url: str
    model: str
    key: str
    guard: Guard | None = None


class NotEmbedded(Exception):
    """The endpoint gave no vectors. The message holds nothing that the server has said."""


class Item(msgspec.Struct):
    """One vector of an answer."""

    index: int
    embedding: list[float]


class Items(msgspec.Struct):
    """An answer; what else it has is not needed."""

    data: list[Item]


_decode = msgspec.json.Decoder(Items).decode


class Answer:
    """Receives one response (`engine.http.connection.Receiver`)."""

    def __init__(self) -> None:
        self.complete = self.settled = False
        self.status = 0
        self.content = bytearray()

    def head(self, status: int, headers: dict[str, str]) -> None:
        """The status says whether the body is read."""
        self.status = status
        self.complete = status != 200

    def body(self, data: bytes) -> bool:
        """Keep it. Raises `NotEmbedded` when it is too much."""
        self.content += data
        if len(self.content) > MAX_ANSWER:
            raise NotEmbedded("The answer of the embeddings server is too large.")
        return True


async def embed(endpoint: Endpoint, texts: Sequence[str], *, seconds: float) -> list[Vector]:
    """The vectors of the texts, in their order. A request may take `seconds`. Raises
    `NotEmbedded`."""
    headers = {"content-type": "application/json", "accept-encoding": "identity"}
    if endpoint.key:
        headers["authorization"] = f"Bearer {endpoint.key}"
    try:
        pool = Pool(endpoint.url, "/embeddings", headers, endpoint.guard)
    except ValueError:
        raise NotEmbedded("The address of the embeddings server is unusable.") from None
    try:
        found: list[Vector] = []
        for begin in range(0, len(texts), IN_ONE_REQUEST):
            some = [text[:MAX_CHARACTERS] for text in texts[begin : begin + IN_ONE_REQUEST]]
            found += await _retrying(pool, endpoint.model, some, seconds)
        return found
    finally:
        await pool.aclose()


async def _retrying(pool: Pool, model: str, texts: list[str], seconds: float) -> list[Vector]:
    request = msgspec.json.encode({"model": model, "input": texts, "encoding_format": "float"})
    wait = FIRST_WAIT
    for retry in range(RETRIES + 1):
        answer, problem = Answer(), "The embeddings server cannot be reached."
        try:
            async with asyncio.timeout(seconds):
                await pool.post(request, answer, seconds)
        except (TimeoutError, Idle):
            raise NotEmbedded("The embeddings server did not answer in time.") from None
        except AddressRefused as refused:
            raise NotEmbedded(refused.message) from None
        except Broken:
            pass
        else:
            if answer.status == 200:
                return _vectors(bytes(answer.content), len(texts))
            problem = f"The embeddings server answered with the status {answer.status}."
        if retry == RETRIES or answer.status not in {0, *AGAIN}:
            break
        await asyncio.sleep(wait * random.uniform(0.5, 1))
        wait *= 2
    raise NotEmbedded(problem)


def _vectors(content: bytes, count: int) -> list[Vector]:
    try:
        items = sorted(_decode(content).data, key=lambda item: item.index)
        if [item.index for item in items] != list(range(count)):
            raise ValueError("not one vector for each text")
        return [vector(item.embedding) for item in items]
    except (msgspec.DecodeError, ValueError, OverflowError):
        raise NotEmbedded("The embeddings server gave an answer of another form.") from None
