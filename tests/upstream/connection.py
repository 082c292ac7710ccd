"""One HTTP/1.1 connection, as raw as the faults need it."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close() sends RST


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Connection(asyncio.Protocol):
    """Runs `serve(connection)` as its task, cancelled the moment the caller leaves."""

    def __init__(self, serve: Callable[["Connection"], Awaitable[None]]) -> None:
        self.serve = serve
        self.buffer = bytearray()
        self.arrived, self.writable = asyncio.Event(), asyncio.Event()
        self.writable.set()
        self.cut_by_us = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.task = asyncio.ensure_future(self.serve(self))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self.arrived.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.task.cancel()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    @property
    def socket(self) -> socket.socket:
        return self.transport.get_extra_info("socket")

    async def until(self, mark: bytes) -> bytes:
        """The bytes up to and with `mark`."""
        while mark not in self.buffer:
            await self.more()
        return self.pop(self.buffer.index(mark) + len(mark))

    async def exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            await self.more()
        return self.pop(count)

    async def more(self) -> None:
        self.arrived.clear()
        await self.arrived.wait()

    def pop(self, count: int) -> bytes:
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    async def request(self) -> Request:
        """The next request."""
        head, *lines = (await self.until(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        method, path, _ = head.split(" ")
        pairs = (line.split(":", 1) for line in lines)
        headers = {name.lower(): value.strip() for name, value in pairs}
        if headers.get("transfer-encoding") == "chunked":
            return Request(method, path, headers, await self.chunks())
        body = await self.exactly(int(headers.get("content-length", 0)))
        return Request(method, path, headers, body)

    async def chunks(self) -> bytes:
        body = b""
        while size := int(await self.until(b"\r\n"), 16):
            body += (await self.exactly(size + 2))[:-2]
        await self.until(b"\r\n")
        return body

    async def write(self, data: bytes) -> None:
        self.transport.write(data)
        await self.writable.wait()

    async def reply(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        """A whole response; anything but bytes is sent as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = {"content-type": "application/json", "content-length": str(len(data))}
        await self.write(head(status, fields | (headers or {})) + data)

    def cut(self, how: str) -> None:
        """End the connection in the middle of things: `rst` or `fin`."""
        if self.transport.is_closing():
            return
        self.cut_by_us = True
        if how == "rst":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.transport.abort()
        self.transport.close()


def head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} .", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()
