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
from conversations.limits.base import Limits
from conversations.models import FINAL, Run, RunStatus
from conversations.process.services import Services
from conversations.runs.find import find_conversation, find_run, run_joined, stored_run
from conversations.runs.positions import waits_at
from conversations.runs.read import read_snapshot
from conversations.signals.activity import Arrivals
from conversations.transports import admission
from conversations.transports.cursor import LEFT, Cursor
from engine.errors import ClawError
from engine.events import WAITING, Batch, Cancelled, decode
from engine.log.base import Entry, HistoryLost, LogError, UnknownRun
from wire.encoder import Encoding
from wire.facade.openai import waiting

HEADERS = {
    "Cache-Control": "no-cache, no-transform",  # no-transform: nobody may compress it
    "X-Accel-Buffering": "no",
}

LARGE = 256 * 1024  # bytes; an event stream's frames are of a few hundred, the last one of all

SETTLE_SECONDS = 0.05
"""Between two looks at a run whose log and row do not say the same yet."""

MAX_TIMER = 24 * 60 * 60.0  # seconds that the loop's timer is sure to count well

Write: TypeAlias = Callable[[list[bytes]], bool]


class Body(Protocol):
    """The content of an event stream."""

    write: Write | None
    """Sends pieces of the body at once, or says that it cannot (False): then they are yielded, and
    sent when the client has read what is there. Set by the API handler where the server can."""

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """The response's body; each chunk is one write."""
        ...


class StreamResponse(StreamingHttpResponse):
    """An event stream that holds slots until the API handler calls `aclose`.

    Its generator cannot give them back: one that never began has no `finally`."""

    def __init__(self, stream: Body, limits: Limits, *slots: str) -> None:
        super().__init__(stream.chunks(), content_type="text/event-stream", headers=HEADERS)
        self._stream, self._limits, self._slots = stream, limits, slots

    def connect(self, write: Write | None) -> None:
        """Takes the function that writes to the client without a turn of the loop, if the server
        has one."""
        self._stream.write = write

    async def aclose(self) -> None:
        """The response is over, however it ended."""
        await admission.release(self._limits, *self._slots)


async def stream_response(
    limits: Limits, caller: Caller, agent_id: str, stream: "EventStream"
) -> StreamingHttpResponse:
    """The response for an event stream. Raises `too_many_connections`."""
    return StreamResponse(stream, limits, *await admission.take_stream(limits, caller, agent_id))


class EventStream:
    """One SSE response: its frames, keepalives in between, and its end."""

    write: Write | None = None
    transport: str | None = "sse"

    def __init__(self, services: Services, caller: Caller) -> None:
        self.caller = caller
        self._services = services
        self._until = caller.principal.ends_unseen
        self._ended = False
        self._why = LEFT
        self._waiting: asyncio.Timeout | None = None
        self._loop = asyncio.get_running_loop()
        self._spoke = self._loop.time()

    async def look_again(self) -> None:
        """A stream that would show less ends: a new request gets what it may see, or is told."""
        if self.caller.again is not None:
            before, self.caller = self.caller, await self.caller.again()
            if self.caller.agent is None:  # a key of several agents, of which this one was meant
                await self._check()
            if before.sees_less(self.caller):
                self._end()

    async def _check(self) -> None:
        """Raises ClawError if the caller may not have this any more."""
        raise NotImplementedError

    def cut(self, error: ClawError) -> None:
        """The response ends without `done`; a new request is told why."""
        self._why = error
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
        connections = self._services.connections
        connections.add(self)
        ending = self._loop.call_later(self._time_left(), self._end) if self._until else None
        try:
            async with aclosing(self._body()) as body:
                async for chunk in body:
                    if not self._passes(chunk):
                        yield chunk
                    self._spoke = self._loop.time()
        finally:
            if ending is not None:
                ending.cancel()
            connections.discard(self)
            await self._left()

    def _passes(self, chunk: bytes) -> bool:
        """Whether it is large and the server has taken it, and so nobody here has to hold it."""
        return len(chunk) > LARGE and self.write is not None and self.write([chunk])

    def _time_left(self) -> float:
        """Seconds until the token ends: then a new request brings a new one, and resumes."""
        left = (self._until - timezone.now()).total_seconds() if self._until else 0.0
        return min(left, MAX_TIMER)

    def _body(self) -> AsyncGenerator[bytes, None]:
        raise NotImplementedError

    async def _left(self) -> None:
        """The response is over, finished or not."""

    def _silent_for(self) -> float:
        """Seconds since the client was sent anything."""
        return self._loop.time() - self._spoke


class RunEvents(EventStream):
    """Base of the streams that show events of runs."""

    def __init__(self, services: Services, caller: Caller, encoding: Encoding) -> None:
        super().__init__(services, caller)
        self._encoding = encoding

    async def _follow(self, run: Run, cursor: Cursor) -> AsyncGenerator[bytes, None]:
        """The run's events after a position, but for those that could be written at once."""
        pace = self._encoding.pace
        direct = self.write is not None and not pace and not run.steers
        push = partial(self._pass_on, cursor) if direct else None
        while not self._ended:
            try:
                following = self._services.log.follow(run.pk, cursor.after, push)
                async with aclosing(following) as batches:
                    while entries := await self._next(batches):
                        if pieces := cursor.encode(entries):
                            yield b"".join(pieces)
                        if await self._is_left_waiting(run, cursor, entries[-1]):
                            yield b"".join(cursor.encoder.close(waiting(run.pk)))
                            return
                        if self._ended:
                            break
                        if pace:
                            await asyncio.sleep(pace)
                break
            except TimeoutError:
                if self._silent_for() >= settings.CLAW_KEEPALIVE_INTERVAL and not self._ended:
                    yield b"".join(cursor.encoder.keepalive())
            except HistoryLost:
                yield b"".join(cursor.show(await read_snapshot(self._services.log, run)))
            except UnknownRun:  # erased, or beyond its time: whatever else is followed goes on
                stored = await stored_run(run)
                self._ended = stored is not None and stored.status not in FINAL
                if stored is not None and not self._ended:
                    yield b"".join(cursor.show(await read_snapshot(self._services.log, stored)))
                break
            except LogError:
                self._ended = True  # cut without `done`: the client resumes, and is told
        if pieces := cursor.encoder.close(self._why if self._ended else None):
            yield b"".join(pieces)

    async def _is_left_waiting(self, run: Run, cursor: Cursor, last: Entry) -> bool:
        """Whether the run waits for somebody, which this client cannot be shown. What is decided
        already goes on by itself."""
        while not cursor.encoder.waits and await waits_at(self._services.log, run, last):
            stored = await stored_run(run)
            if stored is None or stored.woken:
                return False
            if stored.status == RunStatus.WAITING:
                return True
            await asyncio.sleep(SETTLE_SECONDS)  # in this moment it begins to wait, or goes on
        return False

    def _pass_on(self, cursor: Cursor, batch: Batch) -> bool:
        """Straight to the client, in the moment when the log has them."""
        if self._ended or self.write is None:
            return False
        if not cursor.encoder.waits and WAITING in batch[0]:
            return False  # perhaps the stream ends with it
        pieces = cursor.encoder.events(batch)
        if pieces:
            if not self.write(pieces):
                cursor.refuse(pieces, batch[2])
                return False
            self._spoke = self._loop.time()
        cursor.after = batch[2]
        return True

    async def _next(self, batches: AsyncGenerator[list[Entry], None]) -> list[Entry]:
        """The next batch, or nothing at the end. TimeoutError when a keepalive may be due."""
        wait = max(0.0, settings.CLAW_KEEPALIVE_INTERVAL - self._silent_for())
        async with asyncio.timeout(wait) as self._waiting:
            try:
                return [] if self._ended else await anext(batches, [])
            finally:
                self._waiting = None  # one that is over cannot be rescheduled


class RunStream(RunEvents):
    """One run from a position to its end; once its message has joined another run, all of that one.
    `cancels`: it shall not outlive the response."""

    def __init__(
        self,
        services: Services,
        run: Run,
        after: int,
        encoding: Encoding,
        *,
        caller: Caller,
        cancels: bool = False,
    ) -> None:
        super().__init__(services, caller, encoding)
        self._run, self._cursor = run, Cursor(encoding.encoder(run.pk), after)
        self._cancels, self._finished, self._joined = cancels, False, False

    async def _body(self) -> AsyncGenerator[bytes, None]:
        yield b"".join(self._cursor.encoder.opening(self._cursor.after))
        async with aclosing(self._follow(self._run, self._cursor)) as chunks:
            async for chunk in chunks:
                yield chunk
        self._finished = True
        if self._joined and (other := await run_joined(self._run)) is not None:
            self._joined = False
            self._run, self._cursor = other, Cursor(self._encoding.encoder(other.pk), 0)
            async with aclosing(self._follow(other, self._cursor)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def _next(self, batches: AsyncGenerator[list[Entry], None]) -> list[Entry]:
        """See `RunEvents._next`. The end of a run whose message has joined another is not shown."""
        entries = await super()._next(batches)
        if self._run.steers:
            ends = [place for place, entry in enumerate(entries) if _joins(entry)]
            self._joined = self._joined or bool(ends)
            entries = entries[: ends[0]] if ends else [] if self._joined else entries
        return entries

    async def _check(self) -> None:
        await find_run(self.caller, self._run.pk)

    async def _left(self) -> None:
        if self._cancels and not (self._finished or self._ended):
            await self._services.dispatcher.cancel(self._run)


def _joins(entry: Entry) -> bool:
    """Whether a run ends with this event because its message has joined another run."""
    if entry.type != "cancelled":
        return False
    end = decode(entry.data)
    return isinstance(end, Cancelled) and end.joined_run_id is not None


class ConversationStream(RunEvents):
    """Every run of a conversation as it comes, after the rest of one; it stays open."""

    def __init__(
        self,
        services: Services,
        arrivals: Arrivals,
        encoding: Encoding,
        *,
        caller: Caller,
        rest: tuple[Run, int] | None = None,
    ) -> None:
        super().__init__(services, caller, encoding)
        self._arrivals, self._rest = arrivals, rest

    def _end(self) -> None:
        super()._end()
        self._arrivals.wake()

    async def _check(self) -> None:
        await find_conversation(self.caller, self._arrivals.conversation.pk)

    async def _body(self) -> AsyncGenerator[bytes, None]:
        between = self._encoding.encoder()
        yield b"".join(between.opening())
        async with self._arrivals as arrivals:
            if self._rest is not None:
                async with aclosing(self._show(*self._rest)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            while not self._ended:
                try:
                    found = await arrivals.next(settings.CLAW_KEEPALIVE_INTERVAL)
                except ClawError:  # it is deleted, or the database is gone: a new request is told
                    return
                if not found and not self._ended:
                    yield b"".join(between.keepalive())
                for run in found:
                    async with aclosing(self._show(run, 0)) as chunks:
                        async for chunk in chunks:
                            yield chunk

    def _show(self, run: Run, after: int) -> AsyncGenerator[bytes, None]:
        return self._follow(run, Cursor(self._encoding.encoder(run.pk), after))
