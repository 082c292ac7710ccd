"""A model call over HTTP: from a request's body to the deltas of its answer."""

from collections.abc import Callable
from typing import Protocol

from engine.errors import ProviderError
from engine.net import AddressRefused
from engine.providers.base import Sink
from engine.providers.connection import Idle, Receiver
from engine.providers.decoding import StreamDecoder
from engine.providers.faults import fault, status_fault, without
from engine.providers.http1 import Broken

REFUSAL_BYTES = 64 * 1024


class Poster(Protocol):
    """Sends requests to one path of a model server: a `pool.Pool`, or who does as it does."""

    async def post(self, body: bytes, receiver: Receiver, idle_timeout: float) -> None:
        """See `Pool.post`: raises `AddressRefused`, `Idle`, `Broken` and what the receiver does."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


class Refusal:
    """A response that is no answer, as far as its body was read."""

    def __init__(self, status: int, retry_after: str | None) -> None:
        self.status, self.retry_after = status, retry_after
        self.body = bytearray()

    def text(self, secret: str) -> str:
        """The server's words, without the secret."""
        return without(secret, self.body.decode(errors="replace"))

    def error(self, secret: str) -> ProviderError:
        """What it is called here."""
        return status_fault(self.status, self.text(secret), self.retry_after)


class Reader:
    """Receives one response (`connection.Receiver`): decodes an answer, keeps a refusal."""

    __slots__ = ("_decoder", "_sink", "begun", "complete", "refusal")

    def __init__(self, decoder: StreamDecoder, sink: Sink) -> None:
        self._decoder, self._sink = decoder, sink
        self.complete = self.begun = False
        self.refusal: Refusal | None = None

    def head(self, status: int, headers: dict[str, str]) -> None:
        """An answer, a refusal, or neither: raises `ProviderError`."""
        kind = headers.get("content-type", "")
        if status >= 300:
            self.refusal = Refusal(status, headers.get("retry-after"))
            self.complete = True  # the status says enough; its words may come or not
        elif not kind.startswith("text/event-stream"):
            raise fault("upstream_error", f"answered with {kind!r}", retryable=False)

    def body(self, data: bytes) -> bool:
        """Pass on what it says. Raises `ProviderError`, and what the sink does."""
        decoder = self._decoder
        if self.complete:
            if self.refusal is not None:
                self.refusal.body += data[: REFUSAL_BYTES - len(self.refusal.body)]
            return False
        if deltas := decoder.feed(data):
            self._sink(deltas)
        if decoder.failure is not None:
            raise decoder.failure
        self.complete = decoder.done
        if not decoder.progress:
            return False
        decoder.progress = False
        self.begun = True
        return True

    def end(self) -> None:
        """The response is over. Raises `ProviderError` if the answer is not."""
        if self.complete:
            return
        if deltas := self._decoder.end():
            self._sink(deltas)
        if self._decoder.failure is not None:
            raise self._decoder.failure


async def read_answer(
    pool: Poster,
    body: bytes,
    decoder: Callable[[], StreamDecoder],
    sink: Sink,
    idle_timeout: float,
) -> Refusal | None:
    """One attempt at a model call; a refusal is returned. Raises `ProviderError`, and what `sink`
    does, as it is."""
    reader = Reader(decoder(), sink)
    try:
        await pool.post(body, reader, idle_timeout)
    except AddressRefused as error:
        reason = f"address refused: {error.reason}"
        raise fault("upstream_error", reason, retryable=False) from None
    except Idle as error:
        raise fault("upstream_timeout", str(error)) from None
    except Broken as error:
        code = "upstream_truncated" if reader.begun else "upstream_error"
        raise fault(code, str(error)) from error
    reader.end()
    return reader.refusal
