"""Runs and conversations as Server-Sent Events."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Protocol, TypeAlias

from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils import timezone

from agents.caller import Caller
from conversations import runs, wiring
from conversations.activity import Arrivals
from conversations.limits import doors
from conversations.models import FINAL, Run
from engine.errors import ClawError
from engine.log.base import Entry, HistoryLost, LogError, UnknownRun
from wire import parse, sse
from wire.view import View, sealed

HEADERS = {
    "Cache-Control": "no-cache, no-transform",  # no-transform: nobody may compress it
    "X-Accel-Buffering": "no",
}

LONGEST = 24 * 60 * 60.0  # seconds that the loop's timer is sure to count well

Write: TypeAlias = Callable[[list[bytes]], bool]


class Body(Protocol):
    """What an event stream sends."""

    write: Write | None
    """Sends pieces of the body at once, or says that it cannot (False): then they are yielded, and
    sent when the client has read what is there. Set by the API handler where the server can."""

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """The response's body; each chunk is one write."""
        ...


class StreamResponse(StreamingHttpResponse):
    """An event stream that holds slots until the API handler calls `aclose`.

    Its generator cannot give them back: one that never began has no `finally`."""

    def __init__(self, stream: Body, *slots: str) -> None:
        super().__init__(stream.chunks(), content_type="text/event-stream", headers=HEADERS)
        self._stream, self._slots = stream, slots

    def connect(self, write: Write | None) -> None:
        """How to write to the client without a turn of the loop, if the server can."""
        self._stream.write = write

    async def aclose(self) -> None:
        """The response is over, however it ended."""
        await doors.release(*self._slots)


async def stream_response(
    caller: Caller, agent_id: str, stream: "EventStream"
) -> StreamingHttpResponse:
    """The response for an event stream. Raises `too_many_connections`."""
    return StreamResponse(stream, *await doors.take_stream(caller, agent_id))


class EventStream:
    """One SSE response: its frames, keepalives in between, and its end."""

    write: Write | None = None

    def __init__(self, view: View, caller: Caller) -> None:
        self.key_id = caller.key_id
        # What ends a key is found by the sweep; nobody but the token knows when a visitor's does.
        self._until = None if caller.trusted else caller.expires_at
        self._view = view
        self._ended = False
        self._waiting: asyncio.Timeout | None = None
        self._loop = asyncio.get_running_loop()
        self._spoke = self._loop.time()

    def cut(self, error: ClawError) -> None:
        """The response ends without `done`; a new request is told why."""
        self._end()

    def announce_shutdown(self) -> None:
        """The response ends without `done`: the client resumes elsewhere."""
        self._end()

    def _end(self) -> None:
        self._ended = True
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(asyncio.get_running_loop().time())

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """See `Body.chunks`."""
        connections = wiring.services().connections
        connections.add(self)
        ending = self._loop.call_later(self._time_left(), self._end) if self._until else None
        try:
            async with aclosing(self._body()) as body:
                async for chunk in body:
                    yield chunk
                    self._spoke = self._loop.time()
        finally:
            if ending is not None:
                ending.cancel()
            connections.discard(self)
            await self._left()

    def _time_left(self) -> float:
        """Seconds until the token ends: then a new request brings a new one, and resumes."""
        left = (self._until - timezone.now()).total_seconds() if self._until else 0.0
        return min(left, LONGEST)

    def _body(self) -> AsyncGenerator[bytes, None]:
        raise NotImplementedError

    async def _left(self) -> None:
        """The response is over, finished or not."""

    async def _follow(self, run: Run, after: int) -> AsyncGenerator[bytes, None]:
        """The run's events after a position, but for those that could be written at once."""
        cursor = Cursor(run, after)
        sink = partial(self._pass_on, cursor) if self.write is not None else None
        while not self._ended:
            try:
                async with aclosing(runs.follow(run.pk, cursor.after, sink)) as batches:
                    while batch := await self._next(batches):
                        for seq, _, data in self._view.select(batch):
                            cursor.after = seq
                            yield sse.frame(cursor.name, seq, data)
                            if self._ended:
                                return
                return
            except TimeoutError:
                if self._silent_for() >= settings.CLAW_KEEPALIVE_INTERVAL and not self._ended:
                    yield sse.KEEPALIVE
            except HistoryLost:
                yield await self._snapshot(run, cursor)
            except UnknownRun:  # erased, or beyond its time: whatever else is followed goes on
                stored = await runs.as_stored(run)
                self._ended = stored is not None and stored.status not in FINAL
                if stored is not None and not self._ended:
                    yield await self._snapshot(stored, cursor)
                return
            except LogError:
                self._ended = True  # cut without `done`: the client resumes, and is told

    async def _snapshot(self, run: Run, cursor: "Cursor") -> bytes:
        snapshot = await runs.snapshot(run)
        snapshot["message"] = self._view.visibility.message(snapshot["message"])
        cursor.after = snapshot["lastSeq"]
        return sse.frame(cursor.name, cursor.after, parse.dumps(snapshot))

    def _pass_on(self, cursor: "Cursor", types: list[str], lines: list[bytes], last: int) -> bool:
        """Straight to the client, in the moment when the log has them."""
        if self._ended or self.write is None:
            return False
        shown = self._view.select(sealed(types, lines, last))
        frames = [sse.frame(cursor.name, seq, data) for seq, _, data in shown]
        if frames:
            if not self.write(frames):
                return False
            self._spoke = self._loop.time()
        cursor.after = last
        return True

    async def _next(self, batches: AsyncGenerator[list[Entry], None]) -> list[Entry]:
        """The next batch, or nothing at the end. TimeoutError when a keepalive may be due."""
        wait = max(0.0, settings.CLAW_KEEPALIVE_INTERVAL - self._silent_for())
        async with asyncio.timeout(wait) as self._waiting:
            try:
                return [] if self._ended else await anext(batches, [])
            finally:
                self._waiting = None  # one that is over cannot be rescheduled

    def _silent_for(self) -> float:
        """Seconds since the client was sent anything."""
        return self._loop.time() - self._spoke


class Cursor:
    """Where one response stands in one run."""

    __slots__ = ("after", "name")

    def __init__(self, run: Run, after: int) -> None:
        self.name, self.after = run.pk.encode(), after


class RunStream(EventStream):
    """One run from a position to its end. `cancels`: it shall not outlive the response."""

    def __init__(
        self, run: Run, after: int, view: View, *, caller: Caller, cancels: bool = False
    ) -> None:
        super().__init__(view, caller)
        self._run, self._after = run, after
        self._cancels, self._finished = cancels, False

    async def _body(self) -> AsyncGenerator[bytes, None]:
        yield sse.opening(self._run.pk, self._after)
        async with aclosing(self._follow(self._run, self._after)) as frames:
            async for frame in frames:
                yield frame
        self._finished = True

    async def _left(self) -> None:
        if self._cancels and not (self._finished or self._ended):
            await runs.cancel(self._run)


class ConversationStream(EventStream):
    """Every run of a conversation as it comes, after the rest of one; it stays open."""

    def __init__(
        self,
        arrivals: Arrivals,
        view: View,
        *,
        caller: Caller,
        rest: tuple[Run, int] | None = None,
    ) -> None:
        super().__init__(view, caller)
        self._arrivals, self._rest = arrivals, rest

    def _end(self) -> None:
        super()._end()
        self._arrivals.wake()

    async def _body(self) -> AsyncGenerator[bytes, None]:
        yield sse.OPENING
        async with self._arrivals as arrivals:
            if self._rest is not None:
                async with aclosing(self._follow(*self._rest)) as frames:
                    async for frame in frames:
                        yield frame
            while not self._ended:
                try:
                    found = await arrivals.next(settings.CLAW_KEEPALIVE_INTERVAL)
                except ClawError:  # it is deleted, or the database is gone: a new request is told
                    return
                if not found and not self._ended:
                    yield sse.KEEPALIVE
                for run in found:
                    async with aclosing(self._follow(run, 0)) as frames:
                        async for frame in frames:
                            yield frame
