"""An MCP server over HTTP that fails as it is told, and counts what it has carried out."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from itertools import count
from typing import Any

from engine.http.guard import Guard
from engine.tools.mcp.base import Endpoint
from engine.tools.mcp.server import Server
from tests.engine.http.servers import serving

GUARD = Guard([ip_network("127.0.0.0/8")])
SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}}
TEN_MEGABYTES = "x" * 10_000_000


def tool(name: str, description: str = "Does something.", **hints: bool) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "inputSchema": SCHEMA,
        "annotations": {"readOnlyHint": True, **hints},
    }


NAMES = (
    "echo",
    "fail",
    "slow",
    "die",
    "huge",
    "huge_event",
    "garbage",
    "odd",
    "steps",
    "picture",
    "ask",
)
TWO_FIELDS = {
    "type": "object",
    "properties": {
        "size": {"type": "string", "enum": ["S", "L"], "default": "L"},
        "count": {"type": "integer", "default": 1},
    },
}


class ScriptedServer:
    """`ran`: how often each tool was carried out. `refusal`: the status of the next requests for a
    call, without carrying it out. `token`: what callers must send."""

    def __init__(self) -> None:
        self.tools = [tool(name) for name in NAMES]
        self.page = 100
        self.ran: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.refusal = 0
        self.token = ""
        self.sessions: set[str] = set()
        self.release = asyncio.Event()
        self.began = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.left = asyncio.Event()
        self.form: dict[str, Any] = TWO_FIELDS
        self.answer: Any = None
        self.answered = asyncio.Event()
        self.url = ""
        self._ids = count()
        self._listeners: list[asyncio.StreamWriter] = []

    def endpoint(self, **fields: Any) -> Endpoint:
        headers = (("Authorization", self.token),) if self.token else ()
        return Endpoint(**{"name": "scripted", "at": self.url, "headers": headers} | fields)

    def say_changed(self) -> None:
        for writer in self._listeners:
            write_event(writer, {"method": "notifications/tools/list_changed"})

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            request, *lines = head.split("\r\n")
            fields = dict(line.lower().split(": ", 1) for line in lines if line)
            body = await reader.readexactly(int(fields.get("content-length", 0)))
            message = json.loads(body or b"{}")
            self.requests[message.get("method", request[:3])] += 1
            await self._answer(request[:3], fields, message, writer)
            await writer.drain()

    async def _answer(
        self, verb: str, fields: dict[str, str], message: Any, writer: asyncio.StreamWriter
    ) -> None:
        method, id = message.get("method"), message.get("id")
        if self.token and fields.get("authorization") != self.token.lower():
            return status(writer, 401)
        known = fields.get("mcp-session-id") in self.sessions
        if method not in ("initialize", "server/discover") and not known:
            return status(writer, 404)
        if verb == "GET":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
            self._listeners.append(writer)
            return
        match method:
            case "initialize":
                session = f"s{next(self._ids)}"
                self.sessions.add(session)
                result = {
                    "protocolVersion": "2025-11-25",
                    "capabilities": {"tools": {"listChanged": True}},
                    "serverInfo": {"name": "scripted", "version": "1"},
                }
                reply(writer, id, result, f"mcp-session-id: {session}\r\n")
            case "tools/list":
                start = int(message.get("params", {}).get("cursor", 0))
                page: dict[str, Any] = {"tools": self.tools[start : start + self.page]}
                if start + self.page < len(self.tools):
                    page["nextCursor"] = str(start + self.page)
                reply(writer, id, page)
            case "tools/call" if self.refusal:
                status(writer, self.refusal)
            case "tools/call":
                await self._call(message["params"], id, writer)
            case "notifications/cancelled":
                self.cancelled.set()
                status(writer, 202)
            case str() if id is None:
                status(writer, 202)
            case None if "result" in message or "error" in message:
                self.answer = message.get("result", message.get("error"))
                self.answered.set()
                status(writer, 202)
            case None if verb == "DEL":
                self.left.set()
                status(writer, 200)
            case _:
                status(writer, 404)

    async def _call(self, params: Any, id: int, writer: asyncio.StreamWriter) -> None:
        name, text = params["name"], str(params["arguments"].get("text"))
        self.ran[name] += 1
        self.began.set()
        match name:
            case "slow":
                await self.release.wait()
                reply(writer, id, content("late"))
            case "fail":
                reply(writer, id, content("It failed.") | {"isError": True})
            case "die":
                raise ConnectionError
            case "huge":
                reply(writer, id, content(TEN_MEGABYTES))
            case "garbage":
                respond(writer, b"not JSON")
            case "odd":
                reply(writer, id, {"content": 7})
            case "picture":
                block = {"type": "image", "mimeType": "image/png", "data": "AAAA" * 1000}
                reply(writer, id, {"content": [block]})
            case "ask":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
                asked = {"message": "Which one?", "requestedSchema": self.form}
                write_event(writer, {"id": 7, "method": "elicitation/create", "params": asked})
                await writer.drain()
                await self.answered.wait()
                write_event(writer, {"id": id, "result": content(json.dumps(self.answer))})
                await writer.drain()
                raise ConnectionError  # the end of the stream
            case "huge_event" | "steps":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
                token = params["_meta"]["progressToken"]
                for done in range(100 if name == "steps" else 0):
                    progress = {"progressToken": token, "progress": done, "total": 100}
                    write_event(writer, {"method": "notifications/progress", "params": progress})
                said = TEN_MEGABYTES if name == "huge_event" else "done"
                write_event(writer, {"id": id, "result": content(said)})
                await writer.drain()
                raise ConnectionError  # the end of the stream
            case _:
                reply(writer, id, content(text))


def content(text: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}]}


def reply(writer: asyncio.StreamWriter, id: Any, result: Any, headers: str = "") -> None:
    respond(writer, json.dumps({"jsonrpc": "2.0", "id": id, "result": result}).encode(), headers)


def respond(writer: asyncio.StreamWriter, body: bytes, headers: str = "") -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{headers}"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)


def status(writer: asyncio.StreamWriter, code: int) -> None:
    writer.write(f"HTTP/1.1 {code} X\r\ncontent-length: 0\r\n\r\n".encode())


def write_event(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(f"data: {json.dumps({'jsonrpc': '2.0', **message})}\n\n".encode())


@asynccontextmanager
async def scripted() -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer()
    async with serving(server.serve) as listening:
        server.url = f"http://127.0.0.1:{listening.port}/mcp"
        yield server


@asynccontextmanager
async def connected(server: ScriptedServer, **fields: Any) -> AsyncIterator[Server]:
    """A client of the server, which looks up its address and token each time that it connects."""

    async def find() -> Endpoint:
        return server.endpoint(**fields)

    client = Server(find, GUARD)
    try:
        yield client
    finally:
        await client.aclose()
