"""The connections of a client of the load: WebSocket frames, or HTTP with server-sent events."""

import asyncio
from time import monotonic_ns
from typing import Protocol

import httptools

from bench.load.options import Options
from bench.load.tally import OVER

SWITCHED = b"HTTP/1.1 101"
UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\n{header}Connection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
REQUEST = (
    "{verb} {path} HTTP/1.1\r\nHost: localhost\r\n{header}Content-Type: application/json\r\n"
    "Accept: text/event-stream\r\nContent-Length: {size}\r\n\r\n"
)
TEXT, CLOSE = 1, 8  # opcodes
FINAL = 0x80  # of a frame that ends its message
MASK = b"\0\0\0\0"  # RFC 6455 wants one, and any four bytes are one


class Owner(Protocol):
    """The client that a connection works for (`bench.load.client.Client`)."""

    options: Options
    state: int
    connection: "Connection | None"

    def ready(self) -> None:
        """It may ask."""

    def event(self, data: bytes, at: int) -> None:
        """An event has arrived, at this `monotonic_ns()`."""

    def over(self) -> None:
        """The answer has ended."""

    def lost(self) -> None:
        """The connection has ended."""

    def fail(self, reason: str) -> None:
        """The server does not speak the protocol."""


class Connection(asyncio.Protocol):
    """The bytes of one client, for as long as it is that client's connection."""

    def __init__(self, client: Owner) -> None:
        self.client, self.options = client, client.options
        self.rest = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.client.connection = self
        self.open()

    def connection_lost(self, error: Exception | None) -> None:
        if self.current:
            self.client.lost()

    @property
    def current(self) -> bool:
        """Whether what it brings is still wanted."""
        return self.client.connection is self

    def pause(self) -> None:
        """Read nothing more."""
        self.transport.pause_reading()

    def abort(self) -> None:
        """End at once."""
        self.transport.abort()

    def open(self) -> None:
        """The client can ask when this has had its effect."""
        raise NotImplementedError

    def send(self, text: bytes) -> None:
        """Ask."""
        raise NotImplementedError


class Frames(Connection):
    """A WebSocket (RFC 6455)."""

    upgraded = False

    def open(self) -> None:
        upgrade = UPGRADE.format(path=self.options.path, header=self.options.header)
        self.transport.write(upgrade.encode())

    def send(self, text: bytes) -> None:
        self.transport.write(frame(text))

    def data_received(self, data: bytes) -> None:
        at = monotonic_ns()
        data = self.rest + data
        if not self.upgraded:
            data = self._upgraded(data)
        whole, self.rest = frames(data) if self.upgraded else ([], data)
        for opcode, payload in whole:
            if opcode == CLOSE:
                self.client.fail(f"closed by the server: {int.from_bytes(payload[:2], 'big')}")
            elif opcode == TEXT:
                self.client.event(payload, at)
            if not self.current:
                return
        if self.client.state == OVER:
            self.client.over()

    def _upgraded(self, data: bytes) -> bytes:
        """The bytes after the head, once that is whole."""
        head, end, behind = data.partition(b"\r\n\r\n")
        if not end:
            return data
        self.upgraded = True
        if not head.startswith(SWITCHED):
            self.client.fail(f"no WebSocket: {head[:60].decode(errors='replace')}")
            return b""
        if not self.options.greeting:
            self.client.ready()
        return behind


class Response(Connection):
    """A response with server-sent events; the names of its methods are those httptools calls."""

    def open(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.client.ready()

    def send(self, text: bytes) -> None:
        verb = "POST" if text else "GET"
        path, header = self.options.path, self.options.header
        head = REQUEST.format(verb=verb, path=path, header=header, size=len(text))
        self.transport.write(head.encode() + text)

    def data_received(self, data: bytes) -> None:
        self.at = monotonic_ns()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.client.fail(f"no HTTP ({error}): {data[:200]!r}")

    def on_status(self, reason: bytes) -> None:
        status = self.parser.get_status_code()
        if status != 200:
            self.client.fail(f"HTTP status {status} {reason.decode(errors='replace')}")

    def on_body(self, data: bytes) -> None:
        *events, self.rest = (self.rest + data).split(b"\n\n")
        for event in events:
            for line in event.split(b"\n"):
                if line.startswith(b"data: ") and self.current:
                    self.client.event(line[6:], self.at)

    def on_message_complete(self) -> None:
        if self.current:
            self.client.over()


def frame(text: bytes) -> bytes:
    """A client's frame of text."""
    size = len(text)
    if size < 126:
        head = bytes([0x81, 0x80 | size])
    elif size < 65536:
        head = bytes([0x81, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x81, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + MASK + text


def frames(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Opcode and payload of every whole message of a server, and the bytes behind them. Fragments
    (RFC 6455, 5.4) make one message once the last is there."""
    found: list[tuple[int, bytes]] = []
    parts: list[bytes] = []
    opcode = at = whole = 0
    while len(data) >= at + 2:
        size, start = data[at + 1], at + 2
        if size >= 126:
            start += 2 if size == 126 else 8
            if len(data) < start:
                break
            size = int.from_bytes(data[at + 2 : start], "big")
        if len(data) < start + size:
            break
        opcode = data[at] & 15 or opcode
        parts.append(data[start : start + size])
        final, at = data[at] & FINAL, start + size
        if final:
            found.append((opcode, b"".join(parts)))
            parts, whole = [], at
    return found, data[whole:]
