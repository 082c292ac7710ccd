"""Decoding that all model servers have in common: from the bytes of an answer to deltas. No I/O."""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import msgspec

from engine.errors import ProviderError
from engine.providers.base import Delta, TextDelta, ToolRequest
from engine.providers.server.lenient import MAX_DEPTH, check_depth, read_arguments
from engine.providers.server.refusals.faults import fault
from engine.providers.server.sse import SseParser, TooLong

LIMIT = 64 * 1024 * 1024
"""Bytes of one answer; 128k tokens, each in an event of its own, are 16 to 32 MiB."""

MAX_BLOCKS = 1000
"""Blocks or tool calls of one answer. Each costs memory, however empty it is."""

FLAT = 2 * MAX_DEPTH  # bytes: nothing in so few is nested deeper, and a token's event has fewer

MALFORMED = (TooLong, msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The errors of a stream that cannot be read. `check_nesting` sees no depth behind a broken
byte."""

E = TypeVar("E")


class PlainText(Generic[E]):
    """Reads events that are a piece of text and nothing else: nearly all events of an answer.

    Those of one read are decoded in one call, by a type that nothing else fits: a token costs a
    third of what it costs one by one."""

    def __init__(self, head: bytes, event: type[E]) -> None:
        """`head` are the bytes before the JSON of such an event."""
        self._head, self._seam = head, b"\n\n" + head
        self._start = len(head)
        self._decode = msgspec.json.Decoder(list[event]).decode  # type: ignore[valid-type]

    def read(self, data: bytes) -> list[E]:
        """The events of `data` if all of it is whole events of this kind, else none."""
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

    __slots__ = (
        *("_parser", "_received", "_writing"),
        *("complaint", "done", "failure", "progress", "settled"),
    )

    plain: PlainText[Any]
    """Reads the events that are only text, in the form of this API."""

    def __init__(self) -> None:
        self.failure: ProviderError | None = None
        self.complaint: Any = None
        """The content of the error event, if an error event is the failure."""
        self.done = False
        self._received = 0
        self.progress = False
        """Whether anything but pings and unknown events came. The reader sets it back to False."""
        self.settled = False
        """The value of `reasoned` after the last event that was more than text."""
        self._writing = False  # whether the last event was text: more of it follows, nearly always
        self._parser = SseParser()

    def feed(self, data: bytes) -> list[Delta]:
        """The deltas of `data`. Those that came before a failure are returned too."""
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

    def end(self) -> list[Delta]:
        """Take the end of the body: it is the end of the answer, or a failure.

        A last event that lacks its empty line counts if it is whole; if it is not, the reason that
        the server has given decides, as always."""
        deltas: list[Delta] = []
        try:
            self._take(b"\n\n", deltas)
        except MALFORMED:
            self._writing = False
        if not self.done and self.failure is None:
            self._end(deltas)
        return deltas

    def _feed(self, data: bytes) -> list[Delta]:
        deltas: list[Delta] = []
        try:
            self._take(data, deltas)
        except MALFORMED as error:
            self.failure = fault("upstream_error", f"malformed stream: {error}")
        self.settled = self.reasoned
        return deltas

    def _take(self, data: bytes, deltas: list[Delta]) -> None:
        for name, body in self._parser.feed(data):
            if body:
                if len(body) > FLAT:
                    check_nesting(body)
                self._writing = False
                self._event(name, body, deltas)
            if self.done or self.failure is not None:
                break

    @property
    @abstractmethod
    def reasoned(self) -> bool:
        """Whether the server has said why it stopped. From then on the end of the connection,
        however it comes, is the end of the answer."""

    @abstractmethod
    def _end(self, deltas: list[Delta]) -> None:
        """Take the end of the stream: set `done`, or `failure`."""

    @abstractmethod
    def _more(self, events: list[Any]) -> list[str]:
        """The texts of plain events. An empty list means that nothing was taken: then the events
        are read one by one."""

    @abstractmethod
    def _event(self, name: bytes, body: bytes, deltas: list[Delta]) -> None:
        """Take one event (never an empty one): add to `deltas`, set `failure`, `done`, `progress`.

        Raises `msgspec.DecodeError` and `UnicodeDecodeError` for a malformed one."""


_object = msgspec.json.Decoder(dict[str, Any])


def request_of(id: str, name: str, arguments: str) -> ToolRequest:
    """The request of a complete call, from the text of its arguments. No text is no arguments."""
    try:
        return ToolRequest(id, name, decode_arguments(arguments) if arguments.strip() else {})
    except msgspec.DecodeError:
        return ToolRequest(id, name, {}, unread=arguments)


def decode_arguments(text: str) -> dict[str, Any]:
    """The arguments of a tool call. Raises `msgspec.DecodeError` for a text that is no JSON object
    or nested too deeply."""
    try:
        data = text.encode()
        check_nesting(data)
        return _object.decode(data)
    except (msgspec.DecodeError, UnicodeError):
        return read_arguments(text)


def check_nesting(data: bytes) -> None:
    """Raises `msgspec.DecodeError` for JSON that is nested deeper than `MAX_DEPTH`."""
    if len(data) <= FLAT or data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return  # nearly always
    try:
        value = msgspec.json.decode(data)
    except RecursionError:
        raise msgspec.DecodeError("nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return  # the second reader checks what it makes of it
    check_depth(value)
