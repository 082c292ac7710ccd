"""Clients that misbehave below the protocol: they stall, dribble, or never read."""

import asyncio
import base64
import contextlib
import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

from tests.live.clients import TIMEOUT, linger
from tests.live.server import Server
from tests.upstream.process import UpstreamProcess

Stream = dict[str, Any]


def new_tag() -> str:
    """A tag that no other test uses."""
    return f"t{uuid4().hex[:12]}"


async def until(condition: Callable[[], Any]) -> Any:
    """The first true value of `condition`, for what lies in other processes: it is polled."""
    async with asyncio.timeout(TIMEOUT):
        while not (value := await asyncio.to_thread(condition)):  # noqa: ASYNC110 - no event of ours
            await asyncio.sleep(0.01)
    return value


async def call_of(upstream: UpstreamProcess, tag: str) -> Stream:
    """The model call of this tag, once it has been made."""
    streams = await until(lambda: upstream.streams(tag))
    return dict(streams[0])


async def aborted(upstream: UpstreamProcess, tag: str) -> float:
    """When the model server saw its caller leave (epoch seconds)."""
    await until(lambda: upstream.stats(tag)["aborted"])
    return float(upstream.streams(tag)[0]["ended"])


def request(server: Server, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """An HTTP/1.1 request with acme's key; `headers` replace or add."""
    fields = {
        "Host": urlsplit(server.url).netloc,
        "Authorization": f"Bearer {server.keys.acme}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def handshake(server: Server, path: str = "/api/ws") -> bytes:
    """A WebSocket handshake that authenticates by its header."""
    key = base64.b64encode(b"0123456789abcdef").decode()
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Content_Length": "0"}
    versions = {"Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": key}
    return request(server, "GET", path, **upgrade, **versions)


def masked(payload: bytes, opcode: int = 1, *, fin: bool = True) -> bytes:
    """One client frame (RFC 6455, 5.2), masked with zeros."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    return bytes([0x80 * fin | opcode]) + length + bytes(4) + payload


def text_frame(**frame: Any) -> bytes:
    return masked(json.dumps(frame).encode())


class RawSocket:
    """A TCP connection that reads only when it is told to."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(cls, server: Server, *, receive_buffer: int | None = None) -> Self:
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", server.port))
        return cls(sock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.sock.close()

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self.sock, data)

    async def read(self, size: int = 65536) -> bytes:
        """Some bytes; empty when the server has closed or reset the connection."""
        async with asyncio.timeout(TIMEOUT):
            try:
                return await self._loop.sock_recv(self.sock, size)
            except ConnectionError:
                return b""

    async def read_all(self) -> bytes:
        """Everything up to the end of the connection."""
        data = b""
        while piece := await self.read():
            data += piece
        return data

    async def until(self, part: bytes) -> bytes:
        """What came, up to where `part` is in it."""
        data = b""
        while part not in data:
            piece = await self.read()
            assert piece, data
            data += piece
        return data

    async def dribble(self, data: bytes, pause: float) -> float:
        """One byte at a time until the server cuts the connection; the seconds that took."""
        begun = time.monotonic()
        for byte in data:
            try:
                await self.send(bytes([byte]))
            except ConnectionError:
                break
            await asyncio.sleep(pause)
        return time.monotonic() - begun

    def held_by(self, server: Server) -> bool:
        """Whether the server process has its end of this connection open."""
        port = f":{self.sock.getsockname()[1]:04X}"
        mine = set()
        for path in Path(f"/proc/{server.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed while we looked
                mine.add(os.readlink(path))
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return any(row[2].endswith(port) and f"socket:[{row[9]}]" in mine for row in rows)

    def cut(self) -> None:
        linger(self.sock)
        self.sock.close()
