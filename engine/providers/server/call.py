"""A model call over HTTP: from a request's body to the deltas of its answer."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import msgspec

from engine.errors import ProviderError
from engine.http.connection import REFUSAL_BYTES, Idle, Receiver
from engine.http.guard import AddressRefused
from engine.http.http1 import Broken
from engine.providers.base import Sink
from engine.providers.server.body_kind import BLANK, BOM, BodyKind, kind_of
from engine.providers.server.compression import Inflater, codings_of
from engine.providers.server.decoder import StreamDecoder, check_nesting
from engine.providers.server.refusals.classifier import Refusal
from engine.providers.server.refusals.complaints import is_complaint
from engine.providers.server.refusals.faults import fault, without
from engine.providers.server.refusals.parameters import Parameters
from engine.text import clean

MAX_WHOLE_BYTES = 4 * 1024 * 1024  # of an answer in one piece, which is in memory as often as used


_lines = msgspec.json.Decoder().decode_lines


class Poster(Protocol):
    """Sends requests to one path of a model server, as `pool.Pool` does."""

    async def post(self, body: bytes, receiver: Receiver, idle_timeout: float) -> None:
        """See `Pool.post`: raises `AddressRefused`, `Idle`, `Broken` and what the receiver does."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


class Form(NamedTuple):
    """The form in which the servers of one API answer."""

    decoder: Callable[[str], StreamDecoder]
    """Makes the decoder of one answer. Its argument is a secret that no failure may repeat."""
    secret: str


class Reader:
    """Receives one response (`connection.Receiver`). It decodes an answer and keeps a refusal.

    The first bytes of the body decide its kind: servers ignore `stream`, report errors with 200,
    and name the wrong media type."""

    __slots__ = (
        "_decoder",
        "_form",
        "_headers",
        "_inflater",
        "_kept",
        "_kind",
        "_silent",
        "_sink",
        "_streaming",
        "begun",
        "complete",
        "refusal",
        "settled",
    )

    def __init__(self, form: Form, sink: Sink) -> None:
        self._form, self._sink = form, sink
        self._decoder = form.decoder(form.secret)
        self.complete = self.begun = self.settled = False
        self._silent = True  # as long as it has said nothing
        self.refusal: Refusal | None = None
        self._headers: dict[str, str] = {}
        self._inflater: Inflater | None = None
        self._kind: BodyKind | None = None  # until it is known
        self._kept = bytearray()  # what came until then, or all of it if it is JSON
        self._streaming = False  # whether it is events, and not compressed

    def head(self, status: int, headers: dict[str, str]) -> None:
        """An answer, or a refusal."""
        self._headers = headers
        if status >= 300:
            self.refusal = Refusal(status, headers)
            self.complete = True  # the status says enough; its words may come or not
        if codings := codings_of(headers.get("content-encoding", "")):
            self._inflater = Inflater(codings)

    def body(self, data: bytes) -> bool:
        """Take bytes of the body and pass on their deltas. Returns whether they are progress.

        Raises `ProviderError`, and what the sink raises."""
        if not self._streaming:
            return self._first_look(data)
        if self.complete:
            return False
        decoder = self._decoder
        if deltas := decoder.feed(data):
            self._silent = False
            self._sink(deltas)
        if decoder.failure is not None:
            self._give_up(decoder.failure)
            return False
        self.complete, self.settled = decoder.done, decoder.settled
        if not decoder.progress:
            return False
        decoder.progress = False
        self.begun = True
        return True

    def _first_look(self, data: bytes) -> bool:
        """Take bytes of a refusal, a compressed body, or a body whose kind is not known yet."""
        if self.refusal is not None:
            self.refusal.add(data, self._inflater)
            return False
        if self._inflater is None:
            return self._sort(data)
        progress = False
        for piece in self._inflater.feed(data):
            progress |= self._sort(piece)
        return progress

    def end(self) -> None:
        """The response is over. Raises `ProviderError` if the answer is not."""
        if self.complete:
            return
        if self._kind == "json":
            self._finish_whole()
            return
        if self._kept.strip(BLANK):
            raise self._no_answer()
        if deltas := self._decoder.end():
            self._silent = False
            self._sink(deltas)
        if self._decoder.failure is not None:
            self._give_up(self._decoder.failure)

    def _give_up(self, failure: ProviderError) -> None:
        """End the answer. An error event that comes first counts as a refusal."""
        said = self._decoder.complaint
        if said is None or not self._silent:
            raise failure
        body = msgspec.json.encode(clean(said))[:REFUSAL_BYTES]
        self.refusal = Refusal(None, self._headers, body)
        self.complete = True

    def _events(self, data: bytes) -> bool:
        """Read events that were compressed, or were kept until the kind of the body was known."""
        self._streaming = True
        try:
            return self.body(data)
        finally:
            self._streaming = self._inflater is None

    def _sort(self, data: bytes) -> bool:
        """Take bytes of a body that is compressed, in one piece, or of a kind not known yet."""
        if self._kind == "events":
            return self._events(data)
        self._kept += data
        if self._kind is None:
            self._kind = kind_of(self._kept, self._headers.get("content-type", ""))
        if self._kind == "other":
            raise self._no_answer()
        if self._kind == "events":
            begin, self._kept = bytes(self._kept), bytearray()
            return self._events(begin)
        if self._kind is None:
            self._kept = self._kept.lstrip(BLANK)
        if len(self._kept) > MAX_WHOLE_BYTES:
            raise fault("upstream_error", "an answer in one piece without end", retryable=False)
        return bool(data.strip(BLANK))

    def _finish_whole(self) -> None:
        """Read an answer in one piece as the only event of a stream. An error is a refusal."""
        body = bytes(self._kept).removeprefix(BOM)
        try:
            check_nesting(body)
            said = _decoded(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self._no_answer() from None
        if is_complaint(said) or not self._is_answer(said):
            self.refusal = Refusal(None, self._headers, body[:REFUSAL_BYTES])

    def _is_answer(self, said: Any) -> bool:
        self._kind, self._kept = "events", bytearray()
        if not self._events(b"data: %b\n\n" % msgspec.json.encode(said)):
            return False
        self.end()
        return True

    def _no_answer(self) -> ProviderError:
        kind, words = self._headers.get("content-type", ""), self._kept.decode(errors="replace")
        reason = without(self._form.secret, f"answered with {kind!r}: {' '.join(words.split())}")
        return fault("upstream_error", reason, retryable=False)


def _decoded(body: bytes) -> Any:
    """The JSON value, or the list of values if each line is one. Raises `msgspec.DecodeError`."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return _lines(body)


async def read_answer(
    pool: Poster, body: bytes, form: Form, sink: Sink, idle_timeout: float
) -> Refusal | None:
    """Make one attempt at a model call; returns a refusal. Raises `ProviderError`, and what `sink`
    raises as it is."""
    reader = Reader(form, sink)
    try:
        await pool.post(body, reader, idle_timeout)
    except AddressRefused as error:
        reason = f"address refused: {error.reason}"
        raise fault("upstream_error", reason, retryable=False) from None
    except Idle as error:
        if not reader.settled:
            raise fault("upstream_timeout", str(error)) from None
    except Broken as error:
        if not reader.settled:
            code = "upstream_truncated" if reader.begun else "upstream_error"
            raise fault(code, str(error)) from error
    reader.end()
    return reader.refusal


async def answered(
    pool: Poster,
    body: dict[str, Any],
    parameters: Parameters,
    form: Form,
    sink: Sink,
    idle_timeout: float,
) -> None:
    """Make a model call. A parameter that the server refuses by name is left out and remembered.

    Raises `ProviderError`, and what `sink` raises as it is."""
    model, tried = body["model"], set[str]()
    while True:
        sent = parameters.accepted(model, body)
        refusal = await read_answer(pool, msgspec.json.encode(sent), form, sink, idle_timeout)
        if refusal is None:
            return
        if not parameters.learn(model, sent, refusal, tried):
            raise refusal.error(form.secret)
