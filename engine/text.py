"""A text that arrives in pieces."""

import hashlib


class Text:
    """A growing text, kept once as UTF-8: its pieces, in a list or a StringIO, would take ten times
    the memory."""

    __slots__ = ("_utf8",)

    def __init__(self) -> None:
        self._utf8 = bytearray()

    def add(self, piece: str) -> None:
        self._utf8 += piece.encode()

    def __str__(self) -> str:
        return self._utf8.decode()

    @property
    def size(self) -> int:
        """Bytes of UTF-8."""
        return len(self._utf8)

    def digest(self) -> str:
        """`sha256:` and the hex digest of the UTF-8."""
        return "sha256:" + hashlib.sha256(self._utf8).hexdigest()
