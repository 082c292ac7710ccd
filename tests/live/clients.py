"""Clients in Python as a user would write them, and a raw one that can cut its connection."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import jsonschema_rs
import websockets

from tests.live.described import check_answer
from wire.description.schema import event_schema

TIMEOUT = 60.0  # seconds; it only ends a test that hangs, also on a machine with much else to do
OUTCOMES = ("message_complete", "cancelled", "error")

Event = dict[str, Any]

_schema = jsonschema_rs.validator_for(event_schema())


def linger(sock: socket.socket) -> None:
    """The next close sends RST: the network, not the client, has ended this connection."""
    if sock.fileno() >= 0:  # the other side may have closed it in this moment
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def published(frame: Event) -> Event:
    """The frame, which must be one that the published schema describes (P9)."""
    _schema.validate(frame)
    return frame


def text_of(events: list[Event]) -> str:
    """What the tokens add up to."""
    return "".join(event["content"] for event in events if event["type"] == "token")


class WebSocket:
    """A WebSocket client that keeps every frame it gets."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self.connection = connection
        self.events: list[Event] = []
        self._seen = 0

    @classmethod
    async def open(cls, url: str, token: str | None = None, **options: Any) -> Self:
        """Connect and, with a token, authenticate."""
        socket_ = cls(
            await websockets.connect(
                url, max_size=None, max_queue=None, compression=None, **options
            )
        )
        if token is not None:
            await socket_.send(type="auth", token=token)
            await socket_.until("auth_ok")
        return socket_

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.connection.close()

    async def send(self, **frame: Any) -> None:
        await self.connection.send(json.dumps(frame))

    async def next(self) -> Event:
        """The next frame but `ping`."""
        while True:
            async with asyncio.timeout(TIMEOUT):
                event = published(json.loads(await self.connection.recv()))
            if event["type"] != "ping":
                self.events.append(event)
                return event

    async def until(self, *types: str, where: Callable[[Event], bool] | None = None) -> Event:
        """The next frame of one of these types (for which `where` holds)."""
        while True:
            event = await self.next()
            if event["type"] in types and (where is None or where(event)):
                return event

    async def ask(self, content: str, **fields: Any) -> list[Event]:
        """Send a message; every frame up to and with its `done`."""
        first = len(self.events)
        await self.send(type="message", content=content, **fields)
        await self.until("done")
        return self.events[first:]

    async def closed(self) -> int:
        """Read on until the server has closed; its close code."""
        try:
            while True:
                await self.next()
        except websockets.ConnectionClosed:
            return self.connection.close_code or 0

    def cut(self) -> None:
        """Vanish: RST, no close frame."""
        linger(self.connection.transport.get_extra_info("socket"))
        self.connection.transport.abort()


class Sse:
    """A raw SSE client over one TCP connection: WHATWG parser, chunked decoding, `cut`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._check: Callable[[Event], Event] = published
        self.status = 0
        self.headers: dict[str, str] = {}
        self.events: list[Event] = []
        self.comments: list[str] = []
        self.last_id = ""

    @classmethod
    async def open(
        cls,
        url: str,
        token: str,
        *,
        method: str = "POST",
        body: Event | None = None,
        headers: dict[str, str] | None = None,
        renamed: bool = False,
    ) -> Self:
        """Send the request; returns when the response's headers are here. `renamed`: it is the
        conversation route, whose events carry names beside those of the published schema."""
        parts = urlsplit(url)
        stream = cls(*await asyncio.open_connection(parts.hostname, parts.port))
        if renamed:
            stream._check = lambda event: event
        data = json.dumps(body).encode() if body is not None else b""
        lines = {
            "Host": parts.netloc,
            "Authorization": f"Bearer {token}",
            "Content-Length": str(len(data)),
            "Content-Type": "application/json",
            **(headers or {}),
        }
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        stream._writer.write(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + data)
        try:
            await stream._read_head()
        except BaseException:
            stream._writer.close()
            raise
        return stream

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _read_head(self) -> None:
        async with asyncio.timeout(TIMEOUT):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *lines = head.strip().split("\r\n")
        self.status = int(status.split()[1])
        for line in lines:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()

    async def _chunks(self) -> AsyncIterator[bytes]:
        if "content-length" in self.headers:
            yield await self._reader.readexactly(int(self.headers["content-length"]))
            return
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            yield (await self._reader.readexactly(size + 2))[:-2]  # whole, so one may stop here

    async def body(self) -> bytes:
        """The whole body, for responses that are not a stream."""
        return b"".join([chunk async for chunk in self._chunks()])

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The events, until the response ends or the connection breaks."""
        rest = b""
        data: list[str] = []
        async for chunk in self._chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            for raw in lines:
                line = raw.decode().removesuffix("\r")
                if not line and data:
                    event = self._check(json.loads("\n".join(data)))
                    self.events.append(event | {"_id": self.last_id})
                    data = []
                    yield self.events[-1]
                elif line.startswith(":"):
                    self.comments.append(line)
                elif line.startswith("data:"):
                    data.append(line[5:].removeprefix(" "))
                elif line.startswith("id:"):
                    self.last_id = line[3:].removeprefix(" ")

    async def read(self, tokens: int | None = None) -> list[Event]:
        """All events to the end of the response, or until so many tokens have come."""
        async with asyncio.timeout(TIMEOUT):
            async for event in self:
                seen = sum(1 for each in self.events if each["type"] == "token")
                if tokens is not None and event["type"] == "token" and seen >= tokens:
                    break
        return self.events

    def cut(self) -> None:
        """Vanish: RST."""
        linger(self._writer.get_extra_info("socket"))
        self._writer.transport.abort()


class Rest:
    """The JSON API with one key; every answer must be one that is described."""

    def __init__(self, url: str, token: str, **headers: str) -> None:
        self.token = token
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}", **headers},
            timeout=TIMEOUT,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.request("GET", path, params=params)

    async def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return await self.request("POST", path, json=json, **options)

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return check_answer(await self._client.request(method, path, **options))

    async def waiting(self, run_id: str) -> Event:
        """A run, once it waits: one that was killed as it began to wait does so a second time."""
        async with asyncio.timeout(TIMEOUT):
            while True:
                run: Event = (await self.get(f"/api/runs/{run_id}")).json()
                if run["status"] == "waiting":
                    return run
                await asyncio.sleep(0.05)

    async def messages(self, conversation_id: str) -> list[Event]:
        """The history of a conversation, oldest first."""
        answer = await self.get(f"/api/conversations/{conversation_id}/messages", limit=200)
        assert answer.status_code == 200, answer.text
        found: list[Event] = answer.json()["messages"]
        return found
