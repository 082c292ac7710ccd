"""Reads an event stream (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import json
from collections.abc import Iterator
from typing import Any


class Parser:
    """Takes the bytes as they come. Only a line feed ends a line: JSON may have other characters
    that Python's own `splitlines` takes for an end."""

    def __init__(self) -> None:
        self.last_id = ""
        """The position: the id of the last event."""
        self._rest, self._id = b"", ""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[Any]:
        """The events that are whole now, decoded."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            name, _, value = line.removesuffix(b"\r").partition(b":")
            value = value.removeprefix(b" ")
            if name == b"data":
                self._data.append(value)
            elif name == b"id":
                self._id = value.decode()
            elif not line.strip():
                self.last_id = self._id  # an event that is not whole has no position
                data, self._data = b"\n".join(self._data), []
                if data:
                    yield json.loads(data)
