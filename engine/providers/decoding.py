"""An answer's bytes on their way to deltas, as far as all model servers are alike; no I/O."""

from abc import ABC, abstractmethod
from typing import Any

import msgspec

from engine.errors import ProviderError
from engine.providers.base import Delta
from engine.providers.faults import fault
from engine.providers.sse_parse import SseParser, TooLong

LIMIT = 64 * 1024 * 1024
"""Bytes of one answer; 128k tokens, each in an event of its own, are 16 to 32 MiB."""
DEEPEST = 100
"""Objects and lists within one another. What a model says goes through recursive code (ours, and a
database's encoder) that gives up at about 480."""

FLAT = 2 * DEEPEST  # bytes: nothing in so few is nested deeper, and a token's event has fewer


class StreamDecoder(ABC):
    """Turns the bytes of one answer into deltas.

    Once `failure` is set or `done` is true, nothing more comes."""

    def __init__(self) -> None:
        self.failure: ProviderError | None = None
        self.done = False
        self._received = 0
        self._progress = False
        self._parser = SseParser()

    def feed(self, data: bytes) -> list[Delta]:
        """What `data` brings; deltas that came before a failure are returned beside it."""
        deltas: list[Delta] = []
        self._received += len(data)
        if self._received > LIMIT:
            self.failure = fault("upstream_error", "an answer without end", retryable=False)
            return deltas
        try:
            for name, body in self._parser.feed(data):
                if body:
                    if len(body) > FLAT:
                        check_nesting(body)
                    self._event(name, body, deltas)
                if self.done or self.failure is not None:
                    break
        except (TooLong, msgspec.DecodeError, UnicodeDecodeError) as error:
            self.failure = fault("upstream_error", f"malformed stream: {error}")
        return deltas

    def take_progress(self) -> bool:
        """Whether anything but pings and unknown events came since the last time you asked."""
        progress, self._progress = self._progress, False
        return progress

    @abstractmethod
    def end(self) -> list[Delta]:
        """What the end of the body means: the end of the answer, or a failure."""

    @abstractmethod
    def _event(self, name: bytes, body: bytes, deltas: list[Delta]) -> None:
        """Take one event (never an empty one): add to `deltas`, set `failure`, `done`, `_progress`.

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
