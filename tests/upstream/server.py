"""The server: which request gets which answer, and what it remembers of them."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import msgspec

from tests.upstream.answer import Answer
from tests.upstream.chat import ChatAnswer
from tests.upstream.connection import Connection, Request
from tests.upstream.directive import Directive
from tests.upstream.messages import MessagesAnswer
from tests.upstream.rules import Refused

ANSWERS: dict[str, type[Answer]] = {
    "/v1/messages": MessagesAnswer,
    "/v1/chat/completions": ChatAnswer,
}
SECRET_HEADERS = {"authorization", "x-api-key"}


class Stream(msgspec.Struct):
    """One answer. `state`: open, completed, aborted (by the caller), or the name of the fault."""

    tag: str
    mode: str
    started: float
    state: str = "open"
    sent: int = 0
    ended: float | None = None


class Upstream:
    """See the package's docstring. `url` is known once the server is entered."""

    def __init__(self, *, port: int = 0) -> None:
        self.port = port
        self.streams: list[Stream] = []
        self.requests: list[dict[str, Any]] = []
        self.seen: Counter[str] = Counter()
        self.connections: set[Connection] = set()
        self.failures: list[Exception] = []
        self.changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(
            lambda: Connection(self.serve), "127.0.0.1", self.port, backlog=4096
        )
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Raises what went wrong in the server itself."""
        self.server.close()
        connections = tuple(self.connections)
        for connection in connections:
            connection.cut("rst")
        await asyncio.gather(*(c.task for c in connections), return_exceptions=True)
        await self.server.wait_closed()
        if self.failures:
            raise self.failures[0]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when `condition` holds; asked whenever a stream begins, sends or ends."""
        while not condition():
            self.changed.clear()
            await self.changed.wait()

    async def serve(self, connection: Connection) -> None:
        self.connections.add(connection)
        try:
            while True:
                await self.respond(connection, await connection.request())
        except Exception as failure:  # noqa: BLE001 - a mistake of ours, raised when we leave
            self.failures.append(failure)
            connection.cut("rst")
        finally:
            self.connections.discard(connection)

    async def respond(self, connection: Connection, request: Request) -> None:
        url = urlsplit(request.path)
        match request.method, url.path:
            case "POST", path if path in ANSWERS:
                await self.answer(connection, request, ANSWERS[path])
            case "GET", "/admin/stats" | "/admin/streams" | "/admin/requests":
                tag = dict(parse_qsl(url.query)).get("tag")
                view = {"stats": self.stats_of, "streams": self.streams_of}
                report = view.get(url.path.rpartition("/")[2], self.requests_of)
                await connection.reply(200, report(tag))
            case "POST", "/admin/reset":
                for memory in (self.streams, self.requests, self.seen):
                    memory.clear()
                await connection.reply(200, {})
            case _:
                await connection.reply(404, {"error": "there is nothing here"})

    async def answer(self, connection: Connection, request: Request, api: type[Answer]) -> None:
        try:
            body = json.loads(request.body)
            api.check(request.headers, body)
            directive = Directive.of(body["messages"])
        except Refused as refused:
            return await connection.reply(refused.status, api.problem(refused.type, str(refused)))
        except ValueError as wrong:
            return await connection.reply(400, api.problem("invalid_request_error", str(wrong)))
        headers = {k: v for k, v in request.headers.items() if k not in SECRET_HEADERS}
        self.requests.append({"tag": directive.tag, "headers": headers, "body": body})
        self.seen[directive.tag] += 1
        stream = Stream(directive.tag, directive.mode, time.time())
        self.streams.append(stream)
        self.changed.set()
        answer = api(connection, directive, body, self.seen[directive.tag], self.note(stream))
        try:
            stream.state = await answer.run()
        except asyncio.CancelledError:
            stream.state = "stopped" if connection.cut_by_us else "aborted"
            raise
        finally:
            stream.ended = time.time()
            self.changed.set()

    def note(self, stream: Stream) -> Callable[[], None]:
        """What an answer calls after each text delta."""

        def sent() -> None:
            stream.sent += 1
            self.changed.set()

        return sent

    def streams_of(self, tag: str | None) -> list[dict[str, Any]]:
        return [msgspec.to_builtins(s) for s in self.streams if tag in (None, s.tag)]

    def requests_of(self, tag: str | None) -> list[dict[str, Any]]:
        return [request for request in self.requests if tag in (None, request["tag"])]

    def stats_of(self, tag: str | None) -> dict[str, Any]:
        states = Counter(stream["state"] for stream in self.streams_of(tag))
        return {
            "now": time.time(),
            "streams": states.total(),
            "requests": len(self.requests_of(tag)),
            "states": states,
            "aborted": states["aborted"],
            "in_flight": states["open"],
            "connections": len(self.connections),
        }
