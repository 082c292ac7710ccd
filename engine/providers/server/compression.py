"""The body of a response that came compressed although we ask for `identity`: proxies do so.

Servers do not always do what a header names. A body that is not compressed is taken as it is.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence

from engine.providers.server.body_kind import BLANK, kind_of
from engine.providers.server.refusals.faults import fault

PIECE = 64 * 1024  # bytes that are handed on at once
MAX_AT_ONCE = 4 * 1024 * 1024
"""Bytes out of one read of a socket (64 KiB at most). Streams of tokens were seen to shrink to a
fiftieth; data that shrinks to less is made to fill our memory."""
MAX_CODINGS = 4  # of one body; each holds 40 KiB

GZIP, ZLIB, DEFLATE = 31, 15, -15  # values of `wbits`
CODINGS = {"gzip": GZIP, "x-gzip": GZIP, "deflate": ZLIB}
GZIP_MAGIC = b"\x1f"  # RFC 1952 has two bytes; no text begins with the first
ZLIB_HEAD = 2  # bytes


def codings_of(header: str) -> list[str]:
    """The names in a `content-encoding`, in lower case and in the order in which they were
    applied."""
    codings = (coding.strip().lower() for coding in header.split(","))
    return [coding for coding in codings if coding not in ("", "identity")]


class Inflater:
    """Decompresses a body as it arrives."""

    def __init__(self, codings: Sequence[str]) -> None:
        """The last coding is undone first (RFC 9110, section 8.4)."""
        if len(codings) > MAX_CODINGS:
            codings = [", ".join(codings)]  # which is one that we do not read
        self._layers = [Layer(coding) for coding in reversed(codings)]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yields the bytes that `data` decompresses to. Raises `ProviderError` for data that is
        damaged, in a coding that we do not read, or grows beyond `MAX_AT_ONCE` in any of its
        layers."""
        pieces: Iterator[bytes] = iter([data])
        for layer in self._layers:
            pieces = _bounded(layer.undo(pieces))
        return pieces


class Layer:
    """One coding of a body."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._plain: bool | None = None  # until it is known
        self._start = b""  # what came until then

    def undo(self, packed: Iterable[bytes]) -> Iterator[bytes]:
        """The pieces without this coding."""
        for data in packed:
            if self._plain is None:
                data = self._begin(data)
            if self._plain:
                yield data
            elif data:
                yield from self._inflate_all(data)

    def _begin(self, data: bytes) -> bytes:
        """All that came, once it is enough to tell what it is; until then nothing."""
        start = self._start + data
        plain = is_plain(self._coding, start)
        if plain is None:
            self._start = start.lstrip(BLANK)
            return b""
        if not plain:
            if self._coding not in CODINGS:
                reason = f"the answer is compressed: {self._coding}"
                raise fault("upstream_error", reason, retryable=False)
            self._wbits = CODINGS[self._coding]
            if self._wbits == ZLIB and not _has_zlib_head(start):
                self._wbits = DEFLATE
            self._zlib = zlib.decompressobj(self._wbits)
        self._plain, self._start = plain, b""
        return start

    def _inflate_all(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._zlib.eof:  # RFC 1952 allows several members, one after the other
                self._zlib = zlib.decompressobj(self._wbits)
            try:
                piece = self._zlib.decompress(data, PIECE)
            except zlib.error as error:
                reason = f"the answer is compressed ({self._coding}) and damaged: {error}"
                raise fault("upstream_error", reason) from None
            if piece:
                yield piece
            data = self._zlib.unconsumed_tail or self._zlib.unused_data


def is_plain(coding: str, start: bytes) -> bool | None:
    """Whether a body that begins like this is not compressed, whatever its header says; None as
    long as it could be either."""
    if CODINGS.get(coding) == GZIP:
        return not start.startswith(GZIP_MAGIC) if start else None
    kind = kind_of(start, "")
    if kind == "other" and len(start) < ZLIB_HEAD:
        return None
    return None if kind is None else kind != "other"


def _has_zlib_head(start: bytes) -> bool:
    """RFC 1950, section 2.2. RFC 9110 means zlib by `deflate`; some servers send it without its
    head."""
    return start[0] & 15 == zlib.DEFLATED and int.from_bytes(start[:ZLIB_HEAD]) % 31 == 0


def _bounded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > MAX_AT_ONCE:
            raise fault("upstream_error", "a small answer that is large", retryable=False)
        yield piece
