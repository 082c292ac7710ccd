"""Server-sent events, from bytes: https://html.spec.whatwg.org/multipage/server-sent-events.html

Only what a model server's answer needs: `id` and `retry` are ignored.
"""

import re

BOM = b"\xef\xbb\xbf"
LIMIT = 4 * 1024 * 1024

# An event as model servers send it, right behind the one before.
_PLAIN = re.compile(rb"(?:\A|(?<=\n\n))(?:event: ([^\r\n]*)\n)?data: ([^\r\n]*)\n\n")


class TooLong(ValueError):
    """An event that does not end."""


class SseParser:
    """Feed it bytes however they arrive; it opens nothing and waits for nothing."""

    __slots__ = ("_after_cr", "_at_start", "_data", "_limit", "_name", "_rest", "_size", "between")

    def __init__(self, limit: int = LIMIT) -> None:
        """`limit` bounds one event, in bytes."""
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
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
                self._size += len(line)
            elif line.startswith(b"event:"):
                self._name = line[6:].removeprefix(b" ")
            elif line == b"data":
                self._data.append(b"")
            elif not line:
                if self._data:
                    events.append((self._name, b"\n".join(self._data)))
                    self._data, self._size = [], 0
                self._name = b""
        return events
