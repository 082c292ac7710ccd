"""Texts that arrive in pieces, and characters that no database takes."""

import codecs
import hashlib
import re
from typing import Any

_VISIBLE = re.compile("[^\\s\u200b\u200c\u200d\u2060\ufeff\0]")
_BROKEN = re.compile("[\ud800-\udfff]")
_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_HALF = re.compile("[\ud800-\udbff]\\Z")


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

    def between(self, start: int, end: int | None = None) -> str:
        """The text from one position to another, both in bytes; to its end without `end`."""
        return self._utf8[start:end].decode()

    def digest(self) -> str:
        """`sha256:` and the hex digest of the UTF-8."""
        return "sha256:" + hashlib.sha256(self._utf8).hexdigest()


class Joiner:
    """Joins the characters that are cut in two between the pieces of a text.

    A piece may hold lone surrogates: halves of a UTF-16 pair, and bytes that are no UTF-8 as
    Python's `surrogateescape` writes them."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = ""
        """The first part of a character whose rest has not come."""

    def join(self, piece: str) -> str:
        """The held part and `piece`, without lone surrogates. U+FFFD replaces each part of a
        character that belongs to no other. A part at the end is held, since its rest may follow."""
        text = self.held + piece
        self.held = ""
        if text.isascii() or not _BROKEN.search(text):
            return text
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        if half := _HALF.search(text):
            self.held = half[0]
            text = text[:-1]
        data = _NO_BYTE.sub("\ufffd", text).encode(errors="surrogateescape")
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        joined = decoder.decode(data, final=bool(self.held))
        self.held = self.held or decoder.getstate()[0].decode(errors="surrogateescape")
        return joined

    def end(self) -> str:
        """U+FFFD if a part is still held, else an empty text."""
        held, self.held = self.held, ""
        return "\ufffd" if held else ""


def storable(text: str) -> str:
    """`text` as every database takes it: U+FFFD replaces NUL and lone surrogates."""
    if not text.isascii() and _BROKEN.search(text):
        joiner = Joiner()
        text = joiner.join(text) + joiner.end()
    return text.replace("\0", "\ufffd") if "\0" in text else text


def clean(value: Any) -> Any:
    """The value with `storable` applied to all texts within, keys too."""
    match value:
        case str():
            return storable(value)
        case list():
            return [clean(item) for item in value]
        case dict():
            return {clean(name): clean(item) for name, item in value.items()}
    return value


def is_blank(text: str) -> bool:
    """Whether the text has only white space and invisible characters."""
    return not _VISIBLE.search(text)
