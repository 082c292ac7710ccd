"""A client that comes back until it has seen all of a run, and what that must add up to."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

import msgspec
import websockets

from engine.events import decode
from engine.transcript import Transcript, fold
from tests.live.clients import OUTCOMES, TIMEOUT, Event, Rest, Sse, WebSocket, text_of
from tests.live.server import Server
from wire.parse import dumps
from wire.snapshot import message_of

BROKEN = (OSError, EOFError, websockets.ConnectionClosed, websockets.InvalidHandshake)
"""What a client gets when the server dies or its network does."""


class Refused(Exception):
    """The server said no; `code` is its error's."""

    def __init__(self, error: Event) -> None:
        super().__init__(error)
        self.code: str = error["code"]
        self.wait = error.get("retryAfter", 0) / 1000


class Watch:
    """What one client has seen of one run, over all of its connections.

    It drops nothing: an event that comes a second time fails the test."""

    def __init__(
        self,
        server: Server,
        run_id: str = "",
        *,
        seen: Callable[[], None] = lambda: None,
        key: str | None = None,
        merge: bool = False,
    ) -> None:
        """`seen` is called after every event; `merge` asks for neighbouring tokens in one."""
        self.server, self.run_id, self.seen = server, run_id, seen
        self.key, self.merge = key or server.keys.acme, merge
        self.socket: WebSocket | None = None
        self.events: list[Event] = []
        self.last = 0
        self.nothing_left = False  # the server said so: 204
        self.started = asyncio.Event()

    @property
    def done(self) -> bool:
        return self.nothing_left or (bool(self.events) and self.events[-1]["type"] == "done")

    @property
    def tokens(self) -> int:
        return sum(event.get("count", 1) for event in self.events if event["type"] == "token")

    @property
    def conversation_id(self) -> str:
        return str(self.events[0]["conversationId"])

    async def sse(
        self, body: Event | None = None, *, path: str = "/api/chat/stream", tokens: int = 100_000
    ) -> None:
        """One request, always the same but for `Last-Event-ID`: POST with a body, else GET.
        The connection is reset after so many more tokens; before any event if that is negative.

        Raises `Refused`."""
        position = {"Last-Event-ID": f"{self.run_id}:{self.last}"} if self.run_id else {}
        url, method = self.server.url + path, "GET" if body is None else "POST"
        if self.merge:
            url += "?merge=1"
        opening = Sse.open(url, self.key, method=method, body=body, headers=position)
        async with await opening as stream:
            self.nothing_left = stream.status == 204
            if self.nothing_left:
                return
            if stream.status != 200:
                raise Refused(json.loads(await stream.body())["error"])
            if tokens < 0 or await self._take(aiter(stream), self.tokens + tokens):
                stream.cut()

    async def ws(self, message: Event | None = None, *, tokens: int = 100_000) -> None:
        """One socket: `resume` if the run is known, else `message`; reset as in `sse`.

        Raises `Refused`."""
        async with await WebSocket.open(self.server.ws_url) as socket:
            await socket.send(type="auth", token=self.key, merge=self.merge)
            events = frames(socket)
            await anext(events, None)
            if self.run_id:
                await socket.send(type="resume", runId=self.run_id, lastSeq=self.last)
            else:
                await socket.send(type="message", **(message or {}))
                self.socket = socket
            if tokens < 0 or await self._take(events, self.tokens + tokens):
                socket.cut()
            self.socket = None

    async def recovered(self) -> None:
        """As `ws`, also of a run that the server has yet to recover: it says when to ask again."""
        while not self.done:
            try:
                await self.ws()
            except Refused as refused:
                if refused.code != "unavailable":
                    raise
                await asyncio.sleep(refused.wait)

    async def until(self, condition: Callable[[], bool], seconds: float = TIMEOUT) -> None:
        """Return when `condition` holds; asked after every event. Raises `TimeoutError`."""
        reached, before = asyncio.Event(), self.seen

        def seen() -> None:
            before()
            if condition():
                reached.set()

        self.seen = seen
        self.seen()
        async with asyncio.timeout(seconds):
            await reached.wait()

    async def _take(self, events: AsyncIterator[Event], limit: int) -> bool:
        """Keep the run's events; True if `limit` tokens are there before the run is over."""
        async for event in events:
            if "seq" not in event:  # about the connection: `reconnect`, say
                continue
            assert event["seq"] > self.last, f"{event} came after {self.last}"
            self.events.append({name: event[name] for name in event if name != "_id"})
            self.last, self.run_id = event["seq"], event["runId"]
            self.started.set()
            self.seen()
            if self.done:
                break
            if self.tokens >= limit:
                return True
        return False


async def frames(socket: WebSocket) -> AsyncIterator[Event]:
    """The socket's frames until it closes."""
    while True:
        try:
            event = await socket.next()
        except websockets.ConnectionClosed:
            return
        if event["type"] == "error" and "seq" not in event:
            raise Refused(event)
        yield event


def check_run(events: list[Event], text: str | None = None) -> Event:
    """One outcome, then one `done`; every token once and in order; all of it what the outcome
    and the digest say. Returns the outcome."""
    types = [event["type"] for event in events]
    tokens = [event for event in events if event["type"] == "token"]
    assert [event["seq"] for event in events] == sorted({event["seq"] for event in events})
    counts = [token.get("count", 1) for token in tokens]
    assert [token["index"] for token in tokens] == [sum(counts[:i]) for i in range(len(counts))]
    assert sum(type_ in OUTCOMES for type_ in types) == 1, types
    assert types.count("done") == 1
    assert types[-1] == "done"
    outcome, done = events[-2:]
    assert text_of(events) == outcome["content"]
    if text is not None:
        assert outcome["content"] == text, outcome
    utf8 = outcome["content"].encode()
    assert (done["digest"], done["length"]) == (
        f"sha256:{hashlib.sha256(utf8).hexdigest()}",
        len(utf8),
    )
    assert done["usage"] == outcome["usage"]
    check_usage(events, outcome["usage"])
    return outcome


def check_usage(events: list[Event], usage: Event) -> None:
    """The `usage` events add up to the outcome's usage."""
    reports = [event for event in events if event["type"] == "usage"]
    for name in ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens"):
        assert sum(report[name] for report in reports) == usage[name]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]


def folded(events: list[Event]) -> Transcript:
    """The fold of what a client has seen."""
    transcript = Transcript()
    for event in events:
        fold(transcript, decode(json.dumps(event).encode()))
    return transcript


async def check_history(rest: Rest, events: list[Event]) -> None:
    """P9: the fold of a whole run is what the history says."""
    started = events[0]
    assert started["type"] == "run_started"
    messages = await rest.messages(started["conversationId"])
    mine = [message for message in messages if message["runId"] == started["runId"]]
    created = [message["createdAt"] for message in mine]
    asked: dict[str, Any] = {
        "id": started["userMessageId"],
        "role": "user",
        "content": started["userContent"],
        "status": "completed",
        "runId": started["runId"],
        "usage": None,
        "stopReason": None,
        "error": None,
        "tools": [],
        "sources": [],
        "createdAt": created[0],
    }
    if "clientMessageId" in started:
        asked["clientMessageId"] = started["clientMessageId"]
    answer = message_of(folded(events), datetime.fromisoformat(created[-1]))
    assert mine == [asked, msgspec.json.decode(dumps(answer))]
