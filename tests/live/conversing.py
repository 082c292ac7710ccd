"""Carries out a `Talk`: every person in it is a task, and keeps what it has seen."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.live.clients import Event, Rest, Sse, WebSocket
from tests.live.outage import Outage
from tests.live.raw import new_tag
from tests.live.scenarios import Message, Stop, Talk, Viewer
from tests.live.server import Server
from tests.live.watching import BROKEN, Refused, Watch

GONE = (*BROKEN, httpx.TransportError)
RETRY_SECONDS = 0.05
MAX_SECONDS = 90.0  # a scenario that takes this long hangs; a restart takes seconds of it
FAREWELL = "goodbye [[upstream tokens=3]]"


@dataclass
class Asked:
    """A message and what its asker has seen; `answer` is status and body of the same by REST."""

    text: str
    client_message_id: str
    watch: Watch
    refused: str | None = None
    answer: tuple[int, Event] | None = None

    @property
    def over(self) -> bool:
        return self.watch.done or self.refused is not None

    async def until(self, tokens: int) -> None:
        """So many tokens have come, or no more will."""
        await self.watch.until(lambda: self.over or self.watch.tokens >= tokens, MAX_SECONDS)


@dataclass
class Viewed:
    """What a second watcher has seen after `start`; `snapshot` is how it began, if so."""

    watch: Watch
    start: int = 0
    snapshot: Event | None = None


@dataclass
class Following:
    """What somebody has seen of a conversation, on each of its connections."""

    door: str
    cuts: list[int]
    parts: list[list[Event]] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    position: str = ""
    last_run: str | None = None
    done: bool = False

    def take(self, event: Event) -> bool:
        """Keep what is of a run. Whether the connection shall be cut now."""
        if "runId" not in event:
            return False
        self.parts[-1].append(event)
        if event.get("userContent") == FAREWELL:
            self.last_run = event["runId"]
        self.done = event["type"] == "done" and event["runId"] == self.last_run
        if self.cuts and len(self.parts[-1]) > self.cuts[0]:
            del self.cuts[0]
            return True
        return False


class Stage:
    """One conversation. `key` is its askers'; everybody else has acme's."""

    def __init__(
        self, server: Server, outage: Outage, talk: Talk, key: str, revoke: Callable[[], object]
    ) -> None:
        """`revoke` is called in a thread after as many events as the talk says."""
        self.server, self.outage, self.talk, self.key = server, outage, talk, key
        self._revoke, self._events, self._revoking = revoke, 0, asyncio.Event()
        self.name = new_tag()
        self.asked: list[Asked] = []
        self.viewed: list[Viewed] = []
        self.following = [Following(one.door, [*one.cuts]) for one in talk.followers]

    async def open(self, rest: Rest) -> None:
        """The conversation begins empty, so that one may follow it from its first word on."""
        assert (await rest.post("/api/conversations", {"id": self.name})).status_code == 201

    def seen(self) -> None:
        """Somebody has seen something of it."""
        self._events += 1
        if self.talk.revoked is not None and self._events > self.talk.revoked:
            self._revoking.set()
        self.outage.seen()

    async def play(self, acted: asyncio.Barrier, calm: asyncio.Event) -> None:
        """All messages with all that is done to them. A last one when everybody has come to
        `acted` and nothing happens any more, so that followers know where to stop."""
        async with asyncio.TaskGroup() as group:
            for follower in self.following:
                group.create_task(self.outage.insist(follower, self._follow(follower)))
            if self.talk.revoked is not None:
                group.create_task(self._revoke_soon())
            async with asyncio.TaskGroup() as asking:
                for message in self.talk.messages:
                    if self.asked:
                        await self.asked[-1].until(message.after)
                    asked = self._new(f"{new_tag()} [[upstream {message.answer}]]", self.key)
                    asking.create_task(self._carry_out(asked, message))
            self._revoking.set()
            await acted.wait()
            self.outage.due.set()
            await calm.wait()
            for follower in self.following:
                follower.cuts.clear()
                await follower.ready.wait()
            last = self._new(FAREWELL, self.server.keys.acme)
            await self._ask(last, {"conversationId": self.name}, "ws", [])

    async def _revoke_soon(self) -> None:
        await self._revoking.wait()
        await asyncio.to_thread(self._revoke)

    def _new(self, text: str, key: str) -> Asked:
        watch = Watch(self.server, seen=self.seen, key=key)
        self.asked.append(Asked(text, new_tag(), watch))
        return self.asked[-1]

    async def _carry_out(self, asked: Asked, message: Message) -> None:
        options = {
            "conversationId": self.name,
            "ifBusy": message.if_busy,
            "onDisconnect": message.on_disconnect,
        }
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ask(asked, options, message.door, [*message.cuts]))
            if message.twice:
                group.create_task(self._ask_by_rest(asked, options))
            if message.stop is not None:
                group.create_task(self._stop(asked, message.stop))
            for viewer in message.viewers:
                group.create_task(self._view(asked, viewer))

    async def _ask(self, asked: Asked, options: Event, door: str, cuts: list[int]) -> None:
        common = options | {"clientMessageId": asked.client_message_id}
        watch = asked.watch

        async def connect() -> None:
            tokens = cuts.pop(0) if cuts else 100_000
            if door == "ws":
                await watch.ws({"content": asked.text, **common}, tokens=tokens)
            else:
                await watch.sse({"message": asked.text, **common}, tokens=tokens)

        try:
            await self.outage.insist(watch, lambda: patiently(connect()))
        except Refused as refused:
            asked.refused = refused.code
            watch.seen()

    async def _ask_by_rest(self, asked: Asked, options: Event) -> None:
        body = options | {"message": asked.text, "clientMessageId": asked.client_message_id}
        async with Rest(self.server.url, self.key) as rest:
            while asked.answer is None:
                await self.outage.up.wait()
                with contextlib.suppress(httpx.TransportError):
                    answer = await rest.post("/api/chat", body)
                    if answer.status_code != 503 or "unavailable" not in answer.text:
                        asked.answer = answer.status_code, answer.json()
                        return
                await asyncio.sleep(RETRY_SECONDS)

    async def _stop(self, asked: Asked, stop: Stop) -> None:
        """Whether it comes in time or too late, or not at all because the server is away."""
        await asked.until(stop.after)
        run_id, socket = asked.watch.run_id, asked.watch.socket
        await self.outage.up.wait()
        with contextlib.suppress(*GONE):
            if stop.scope == "own" and socket is not None:
                await socket.send(type="cancel")
            elif stop.scope == "stop" and socket is not None:
                await socket.connection.send("STOP")
            elif "rest" in stop.scope and run_id:
                path = f"conversations/{self.name}" if " " in stop.scope else f"runs/{run_id}"
                async with Rest(self.server.url, self.server.keys.acme) as rest:
                    answer = await rest.post(f"/api/{path}/cancel")
                    assert answer.status_code == 202, answer.text
            elif run_id:
                named = {"conversationId": self.name} if "conv" in stop.scope else {"runId": run_id}
                async with await WebSocket.open(self.server.ws_url, self.server.keys.acme) as ws:
                    await ws.send(type="cancel", **named)

    async def _view(self, asked: Asked, viewer: Viewer) -> None:
        await asked.until(viewer.after)
        if not asked.watch.run_id:
            return
        watch = Watch(self.server, asked.watch.run_id, seen=self.seen, merge=viewer.merge)
        viewed, cuts = Viewed(watch), [*viewer.cuts]
        self.viewed.append(viewed)
        if viewer.start == "middle":
            viewed.start = watch.last = asked.watch.last // 2
        path = f"/api/runs/{watch.run_id}/events"

        async def connect() -> None:
            tokens = cuts.pop(0) if cuts else 100_000
            if viewer.start == "snapshot" and viewed.snapshot is None:
                await self._look(viewed)
            elif viewer.door == "ws" and viewed.snapshot is None:
                await watch.ws(tokens=tokens)
            else:  # says when nothing follows a snapshot, of a run that is over
                await watch.sse(path=path, tokens=tokens)

        await self.outage.insist(watch, lambda: patiently(connect()))

    async def _look(self, viewed: Viewed) -> None:
        """Begin with a snapshot."""
        watch = viewed.watch
        async with await WebSocket.open(self.server.ws_url, watch.key) as socket:
            await socket.send(type="resume", runId=watch.run_id)
            snapshot = await socket.until("snapshot")
        viewed.start = watch.last = snapshot["lastSeq"]
        viewed.snapshot = snapshot

    def _follow(self, follower: Following) -> Any:
        url = f"{self.server.url}/api/chat/stream?conversationId={self.name}"

        async def by_stream() -> None:
            headers = {"Last-Event-ID": follower.position} if follower.position else {}
            key = self.server.keys.acme
            async with await Sse.open(url, key, method="GET", headers=headers) as stream:
                if stream.status != 200:
                    raise Refused(json.loads(await stream.body())["error"])
                follower.ready.set()
                async for event in stream:
                    follower.position = stream.last_id
                    self.seen()
                    if follower.take(event):
                        return stream.cut()
                    if follower.done:
                        return

        async def by_socket() -> None:
            async with await WebSocket.open(self.server.ws_url, self.server.keys.acme) as socket:
                await socket.send(type="subscribe", conversationId=self.name)
                await socket.until("subscribed")
                follower.ready.set()
                while not follower.done:
                    self.seen()
                    if follower.take(await socket.next()):
                        return socket.cut()

        async def connect() -> None:
            follower.parts.append([])
            try:
                await patiently(by_stream() if follower.door == "sse" else by_socket())
            finally:
                follower.ready.clear()

        return connect


async def patiently(connecting: Coroutine[Any, Any, None]) -> None:
    """What is `unavailable` is tried again."""
    try:
        await connecting
    except Refused as refused:
        if refused.code != "unavailable":
            raise
        await asyncio.sleep(RETRY_SECONDS)
