"""The log in Redis, for any number of processes: a stream per run (see `redis_scripts`).

A process that writes a run and one that follows it meet in Redis only. While Redis is away runs go
on and their events wait in their process; followers wait; nothing is lost or comes twice."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import NamedTuple
from weakref import WeakValueDictionary

from engine.events import LAST, Stamp, type_of
from engine.log.base import (
    NOTHING_YET,
    Entry,
    Fenced,
    HistoryLost,
    LogError,
    PositionAhead,
    Push,
    StorageFailed,
    UnknownRun,
)
from engine.log.local import BATCH, BATCH_EVENTS
from engine.log.redis import scripts
from engine.log.redis.client import ask, open_client
from engine.log.redis.run import RedisRun
from engine.log.redis.sender import Sender
from engine.log.redis.subscriber import Subscriber
from engine.log.redis.writer import PATIENCE, RedisWriter

RECENT = 64  # runs whose newest lines stay in memory after their last use: at most 16 MB
CONNECTIONS = 16  # for looking into runs; more wait for one of these
READ_PATIENCE = 10.0  # seconds that a read waits for Redis


class Found(NamedTuple):
    """The state of a run in Redis: its end (0: it is claimed, and has no event yet; None: nothing),
    and some lines after a position."""

    last: int | None
    lines: list[bytes]


class RedisLog:
    """`Log` in the Redis at `url`; `retention` in seconds. Redis 7.0 or newer, not a cluster.

    It wants `maxmemory-policy noeviction`, and `appendonly yes` to outlive a restart of Redis."""

    def __init__(self, url: str, *, retention: float) -> None:
        self._retention = retention
        self._reading = open_client(url, connections=CONNECTIONS)
        self._writing = open_client(url, connections=1)  # never waits for readers
        self._read = self._reading.register_script(scripts.READ)
        self._erase = self._reading.register_script(scripts.ERASE)
        self._sender = Sender(self._writing, retention)
        self._subscriber = Subscriber(self._writing.connection_pool)
        self._runs: WeakValueDictionary[str, RedisRun] = WeakValueDictionary()
        self._recent: deque[RedisRun] = deque(maxlen=RECENT)  # keeps them in `_runs`

    def writer(self, stamp: Stamp, attempt: int) -> RedisWriter:
        """See `Log.writer`; here the run is taken when the writer's `flush` has returned."""
        run = self._run(stamp.run_id)
        if run.finished:
            raise LogError(f"{run.run_id} is finished")
        if attempt < run.attempt or attempt == run.attempt > 0:
            raise Fenced(f"{run.run_id}: attempt {run.attempt} holds it")
        if before := self._sender.held.get(run.run_id):
            before.stop(Fenced)
        run.attempt = attempt
        writer = RedisWriter(self._sender, run, stamp, attempt)
        self._sender.hold(writer)
        return writer

    async def read(self, run_id: str, after: int = 0) -> list[Entry]:
        """See `Log.read`. Raises `StorageFailed` if Redis stays away."""
        found = await self._look(self._run(run_id), max(after, 0), READ_PATIENCE)
        if not found.last:
            raise UnknownRun(run_id)
        if not 0 <= after <= found.last:
            raise PositionAhead(f"{run_id}: {after} of {found.last}")
        return _entries(run_id, after, found)

    async def follow(
        self, run_id: str, after: int = 0, push: Push | None = None
    ) -> AsyncGenerator[list[Entry], None]:
        """See `Log.follow`; nothing goes to `push`. Raises `StorageFailed` if Redis stays away."""
        run, attached = self._run(run_id), False
        run.followers += 1
        try:
            while True:
                wakes = run.wakes
                if run.failed:
                    raise run.failed(run_id)
                # Only our own writer knows without Redis that the run has not been erased.
                if run.holds(after) and (attached or run.writing):
                    entries = run.read(after)
                else:
                    entries = await self._catch_up(run, after)
                attached = True
                if entries:
                    yield entries
                    after = entries[-1].seq
                    if entries[-1].type == LAST:
                        return
                elif run.finished and after >= run.seq:
                    return
                elif run.wakes == wakes:
                    await run.news()
        finally:
            run.followers -= 1
            if not run.followers:
                self._subscriber.leave(run)

    async def last(self, run_id: str) -> Entry | None:
        """See `Log.last`. Raises `StorageFailed` if Redis stays away."""
        try:
            last, lines = await self._look(self._run(run_id), -1, READ_PATIENCE)
        except UnknownRun:
            return None
        if not last:
            return NOTHING_YET if last == 0 else None
        return Entry(last, type_of(lines[0]), lines[0])

    async def has_room(self, owner: str) -> bool:
        """See `Log.has_room`: Redis is not shared out, what bounds it is `RUN_BYTES` of a run."""
        return True

    async def erase(self, run_id: str) -> None:
        """See `Log.erase`. Raises `StorageFailed` if Redis stays away."""
        await ask(self._erase, _key(run_id), int(self._retention * 1000), patience=READ_PATIENCE)
        if writer := self._sender.held.get(run_id):
            writer.stop(Fenced)
        if run := self._runs.get(run_id):
            run.fail(UnknownRun)

    async def sweep(self) -> None:
        """See `Log.sweep`; Redis does it."""

    def counts(self) -> dict[str, int]:
        """See `Log.counts`."""
        sender = self._sender
        return {
            "held": len(sender.held),
            "buffered_bytes": sender.buffered,
            "subscribed": len(self._subscriber.runs),
        }

    async def aclose(self) -> None:
        """Stop the writers and close the connections; readers that wait for more are told that it
        broke off."""
        for run in list(self._runs.values()):
            run.fail(StorageFailed)
        await self._subscriber.aclose()
        await self._sender.aclose()
        await self._reading.aclose()
        await self._writing.aclose()

    def _run(self, run_id: str) -> RedisRun:
        run = self._runs.get(run_id)
        if run is None or run.failed:
            run = self._runs[run_id] = RedisRun(run_id)
            self._recent.append(run)
        return run

    async def _catch_up(self, run: RedisRun, after: int) -> list[Entry]:
        """The entries in Redis after `after`. `run` is told first, so it gets all that come
        later."""
        if not (run.writing or run.subscribed):
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._subscriber.watch(run)
            except TimeoutError:
                raise StorageFailed("Redis tells no events") from None
        wakes = run.wakes
        found = await self._look(run, max(after, 0), PATIENCE)
        if found.last is not None and 0 <= after <= found.last:
            return _entries(run.run_id, after, found)
        if not found.last and (run.finished or not run.seq):
            raise UnknownRun(run.run_id)
        if not 0 <= after <= run.seq:
            raise PositionAhead(f"{run.run_id}: {after} of {found.last}")
        # Redis has less than it showed us: the run's writer, if it lives, fills in what is missing.
        try:
            async with asyncio.timeout(READ_PATIENCE):
                if run.wakes == wakes:
                    await run.news()
        except TimeoutError:
            raise HistoryLost(f"{run.run_id}: Redis has lost its end") from None
        return []

    async def _look(self, run: RedisRun, after: int, patience: float) -> Found:
        """Ask Redis for a batch after `after` (-1: the last line). Raises `UnknownRun` if the run
        was erased."""
        reply = await ask(
            self._read, _key(run.run_id), after, BATCH, BATCH_EVENTS, patience=patience
        )
        if reply[0] == scripts.GONE:
            run.fail(UnknownRun)
            raise UnknownRun(run.run_id)
        if reply[0] == scripts.UNKNOWN:
            return Found(None, [])
        attempt, last, finished, *lines = reply
        run.learn(attempt, last, bool(finished))
        return Found(last, lines)


def _entries(run_id: str, after: int, found: Found) -> list[Entry]:
    if (found.last or 0) > after and not found.lines:
        raise HistoryLost(f"{run_id}: {after + 1} is missing")
    return [Entry(seq, type_of(line), line) for seq, line in enumerate(found.lines, after + 1)]


def _key(run_id: str) -> bytes:
    return scripts.KEY + run_id.encode()
