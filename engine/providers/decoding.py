"""An answer's bytes on their way to deltas, as far as all model servers are alike; no I/O."""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import msgspec

from engine.errors import ProviderError
from engine.providers.base import Delta, TextDelta
from engine.providers.faults import fault
from engine.providers.sse_parse import SseParser, TooLong

LIMIT = 64 * 1024 * 1024
"""Bytes of one answer; 128k tokens, each in an event of its own, are 16 to 32 MiB."""
DEEPEST = 100
"""Objects and lists within one another. What a model says goes through recursive code (ours, and a
database's encoder) that gives up at about 480."""

FLAT = 2 * DEEPEST  # bytes: nothing in so few is nested deeper, and a token's event has fewer


E = TypeVar("E")


class PlainText(Generic[E]):
    """Events that are a piece of text and nothing else, as all but a few of an answer's are.

    Those of one read are decoded in one call, by a type that nothing else fits: a token costs a
    third of what it costs one by one."""

    def __init__(self, head: bytes, event: type[E]) -> None:
        """`head` is what stands before the JSON of such an event."""
        self._head, self._seam = head, b"\n\n" + head
        self._start = len(head)
        self._decode = msgspec.json.Decoder(list[event]).decode  # type: ignore[valid-type]

    def read(self, data: bytes) -> list[E]:
        """All of `data` if it is whole events of this kind, else nothing."""
        if not data.startswith(self._head) or not data.endswith(b"\n\n"):
            return []
        joined = data[self._start : -2].replace(self._seam, b",")
        try:
            events = self._decode(b"[%b]" % joined)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return []
        # Data that says several with commas between them is no JSON of one event.
        return events if len(events) == data.count(self._seam) + 1 else []


class StreamDecoder(ABC):
    """Turns the bytes of one answer into deltas.

    Once `failure` is set or `done` is true, nothing more comes."""

    __slots__ = ("_parser", "_received", "_writing", "done", "failure", "progress")

    plain: PlainText[Any]
    """How this kind of model server sends text that nothing else comes with."""

    def __init__(self) -> None:
        self.failure: ProviderError | None = None
        self.done = False
        self._received = 0
        self.progress = False
        """Whether anything but pings and unknown events came; who has seen it sets it back."""
        self._writing = False  # whether the last event was text: more of it follows, nearly always
        self._parser = SseParser()

    def feed(self, data: bytes) -> list[Delta]:
        """What `data` brings; deltas that came before a failure are returned beside it."""
        self._received += len(data)
        if self._received > LIMIT:
            self.failure = fault("upstream_error", "an answer without end", retryable=False)
            return []
        if (
            self._writing
            and self._parser.between
            and (events := self.plain.read(data))
            and (pieces := self._more(events))
        ):
            self.progress = True
            return [TextDelta(pieces)]
        return self._feed(data)

    def _feed(self, data: bytes) -> list[Delta]:
        deltas: list[Delta] = []
        try:
            for name, body in self._parser.feed(data):
                if body:
                    if len(body) > FLAT:
                        check_nesting(body)
                    self._writing = False
                    self._event(name, body, deltas)
                if self.done or self.failure is not None:
                    break
        except (TooLong, msgspec.DecodeError, UnicodeDecodeError) as error:
            self.failure = fault("upstream_error", f"malformed stream: {error}")
        return deltas

    @abstractmethod
    def end(self) -> list[Delta]:
        """What the end of the body means: the end of the answer, or a failure."""

    @abstractmethod
    def _more(self, events: list[Any]) -> list[str]:
        """The texts of plain events; none, and nothing changed, where each needs a look."""

    @abstractmethod
    def _event(self, name: bytes, body: bytes, deltas: list[Delta]) -> None:
        """Take one event (never an empty one): add to `deltas`, set `failure`, `done`, `progress`.

        Raises `msgspec.DecodeError` and `UnicodeDecodeError` for a malformed one."""


_object = msgspec.json.Decoder(dict[str, Any])


def decode_arguments(text: str) -> dict[str, Any]:
    """The arguments of a tool call. Raises `msgspec.DecodeError` for what is no JSON object, or
    too deep."""
    check_nesting(text.encode())
    return _object.decode(text)


def check_nesting(data: bytes) -> None:
    """Raises `msgspec.DecodeError` for JSON that is nested deeper than `DEEPEST`."""
    if len(data) <= FLAT or data.count(b"{") + data.count(b"[") <= DEEPEST:
        return  # nearly always
    try:
        level = [msgspec.json.decode(data)]
    except RecursionError:
        raise msgspec.DecodeError("nested too deeply") from None
    for _ in range(DEEPEST + 1):
        level = [inner for outer in level for inner in _within(outer)]
        if not level:
            return
    raise msgspec.DecodeError("nested too deeply")


def _within(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
