"""Tokens that are joined, so many to one event, for clients that want fewer events."""

from itertools import groupby, pairwise
from typing import ClassVar

from engine.errors import ClawError
from engine.events import Batch
from wire.encoder import Encoder, Encoding
from wire.frames import Snapshot
from wire.native import OnDisconnect


class TokenBatches:
    """Gives `encoder`, which merges neighbouring tokens, `size` tokens at a time. Fewer are kept
    back until any other event comes: a stream that is cut meanwhile is resumed before them."""

    on_disconnect: ClassVar[OnDisconnect | None] = None
    waits: ClassVar[bool] = True

    def __init__(self, encoder: Encoder, size: int) -> None:
        self._encoder, self._size = encoder, size
        self._types: list[str] = []
        self._lines: list[bytes] = []
        self._last = 0

    def opening(self, after: int = 0) -> list[bytes]:
        """See `Encoder.opening`."""
        return self._encoder.opening(after)

    def events(self, batch: Batch) -> list[bytes]:
        """See `Encoder.events`."""
        types, lines, last = batch
        self._types, self._lines, self._last = self._types + types, self._lines + lines, last
        return self._told(self._whole())

    def snapshot(self, snapshot: Snapshot) -> list[bytes]:
        """See `Encoder.snapshot`. It has the tokens that were kept back."""
        self._types, self._lines = [], []
        return self._encoder.snapshot(snapshot)

    def keepalive(self) -> list[bytes]:
        """See `Encoder.keepalive`."""
        return self._encoder.keepalive()

    def close(self, error: ClawError | None = None) -> list[bytes]:
        """See `Encoder.close`. The tokens that were kept back come first."""
        return self._told(len(self._types)) + self._encoder.close(error)

    def _whole(self) -> int:
        """The number of events that need not be kept back."""
        at = len(self._types)
        while at and self._types[at - 1] == "token":
            at -= 1
        return len(self._types) - (len(self._types) - at) % self._size

    def _told(self, count: int) -> list[bytes]:
        """The first `count` events, through the encoder."""
        first = self._last - len(self._types)
        ends, at = [0], 0
        for is_token, group in groupby(self._types[:count], "token".__eq__):
            length = sum(1 for _ in group)
            ends += range(at + self._size, at + length, self._size) if is_token else ()
            at += length
            ends.append(at)
        writes: list[bytes] = []
        for begin, end in pairwise(ends):
            part = self._types[begin:end], self._lines[begin:end], first + end
            writes += self._encoder.events(part)
        self._types, self._lines = self._types[count:], self._lines[count:]
        return writes


class BatchedEncoding(Encoding, frozen=True):
    """An encoding with `size` tokens to one event; its selection merges."""

    size: int = 1

    def encoder(self, run_id: str | None = None) -> Encoder:
        """See `Encoding.encoder`."""
        return TokenBatches(super().encoder(run_id), self.size)
