"""Parses server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html

Only what a model server's answer needs: `id` and `retry` are ignored.
"""

import re

BOM = b"\xef\xbb\xbf"
LIMIT = 4 * 1024 * 1024
LINE = 64  # bytes that a line of data takes in memory beside its text

BARE = (b"{", b"error:")
"""Beginnings of lines that are data but no field of the standard: servers and proxies that fail
within a stream write their error as a line of JSON, and older llama.cpp in a field `error`."""

# An event as model servers send it, right behind the one before.
_PLAIN = re.compile(rb"(?:\A|(?<=\n\n))(?:event: ([^\r\n]*)\n)?data: ([^\r\n]*)\n\n")


class TooLong(ValueError):
    """An event that does not end."""


class SseParser:
    """Takes bytes in any pieces. It does no I/O and never waits."""

    __slots__ = ("_after_cr", "_at_start", "_data", "_limit", "_name", "_rest", "_size", "between")

    def __init__(self, limit: int = LIMIT) -> None:
        """`limit` bounds one event, in bytes of memory."""
        self._limit = limit
        self._rest = bytearray()  # the line that has not ended
        self._after_cr = False
        self._at_start = True
        self._name = b""
        self._data: list[bytes] = []
        self._size = 0
        self.between = False
        """Whether an event may begin, and nothing else is to be remembered."""

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """The (event, data) pairs that `data` completes; event is empty if the server named none.

        Raises `TooLong`."""
        if self.between and data.endswith(b"\n\n"):  # nearly always: one regex for all of it
            plain: list[tuple[bytes, bytes]] = _PLAIN.findall(data)
            if len(plain) == data.count(b"\n\n"):
                return plain
        if self._after_cr or b"\r" in data:
            data = self._with_newlines(data)
        lines = data.split(b"\n")
        rest = lines.pop()
        events = self._take(lines) if lines else []
        if rest:
            self._rest += rest
        if len(self._rest) + self._size > self._limit:
            raise TooLong(f"an event of more than {self._limit} bytes")
        pending = self._rest or self._data or self._name
        self.between = not (pending or self._at_start or self._after_cr)
        return events

    def _with_newlines(self, data: bytes) -> bytes:
        """Lines may end in CR, LF or both, and both may come in two pieces."""
        if self._after_cr:
            data = data.removeprefix(b"\n")
        self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _take(self, lines: list[bytes]) -> list[tuple[bytes, bytes]]:
        if self._rest:
            lines[0] = bytes(self._rest) + lines[0]
            self._rest.clear()
        if self._at_start:
            self._at_start = False
            lines[0] = lines[0].removeprefix(BOM)
        events = []
        for line in lines:
            if line.startswith(b"data:") or line == b"data":
                if self._data:
                    self._size += LINE
                self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
                self._size += len(line)
            elif line.startswith(b"event:"):
                self._name = line[6:].removeprefix(b" ")
            elif line.startswith(BARE):
                if line.startswith(b"error:"):
                    self._name, line = b"error", line[6:]
                self._data.append(line)
                self._size += len(line) + LINE
            elif not line:
                if self._data:
                    events.append((self._name, b"\n".join(self._data)))
                    self._data, self._size = [], 0
                self._name = b""
        return events
