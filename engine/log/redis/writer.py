"""The writer of one run in Redis: it never waits, and keeps what Redis has not confirmed."""

import asyncio
import secrets
from collections.abc import Sequence
from math import inf
from typing import Protocol

from engine.events import Done, Event, NewEvent, Stamp
from engine.log.base import Fenced, HistoryLost, LogError, StorageFailed
from engine.log.local import BATCH_EVENTS, fit
from engine.log.redis import scripts
from engine.log.redis.run import RedisRun

RUN_BYTES = 64 * 1024 * 1024  # of one run in one attempt: half a million tokens
PENDING_BYTES = 8 * 1024 * 1024  # of one run, not stored yet
BUFFER_BYTES = 256 * 1024 * 1024  # of all runs of the process, not stored yet
PATIENCE = 60.0  # seconds that a caller waits for Redis


class Carrier(Protocol):
    """The part of the sender that a writer needs."""

    buffered: int
    """Bytes that wait for Redis, of all writers."""

    def mark(self, writer: "RedisWriter") -> None:
        """`writer` has something to send."""

    def drop(self, writer: "RedisWriter") -> None:
        """`writer` sends nothing more."""


class RedisWriter:
    """`Writer` of a run in Redis.

    The run is taken with the first round that reaches Redis. Until `flush` has returned, `seq` is
    what this process knew of it; events that were appended to another end are `Fenced`."""

    def __init__(self, carrier: Carrier, run: RedisRun, stamp: Stamp, attempt: int) -> None:
        self._carrier, self.run, self.attempt, self._stamp = carrier, run, attempt, stamp
        self.token = secrets.token_hex(8)  # tells two who claim the same attempt from each other
        self.taken = self._released = False
        self.seq = self.stored = run.seq
        self.stopped: type[LogError] | None = None
        self.key = scripts.KEY + run.run_id.encode()
        self.marked, self.marked_at = False, -inf  # the sender's: has something to send; since
        self.turns = 0  # rounds that it was in
        self.expires = inf  # the sender's: loop time from which it may be let go
        self._pending: list[bytes] = []
        self._pending_size = self._size = 0  # bytes
        self._settled = asyncio.Event()

    def append(self, event: Event) -> int:
        """See `Writer.append`."""
        return self.extend([event])

    def extend(self, events: Sequence[NewEvent]) -> int:
        """See `Writer.extend`. Raises `StorageFailed` when too much waits for Redis."""
        if self.stopped:
            raise self.stopped(f"{self.run.run_id}: this writer has ended")
        _, lines = self._stamp.seal_all(events, self.seq + 1)
        size = sum(map(len, lines))
        self._size += size
        self._buffer(size)
        if (
            self._pending_size > PENDING_BYTES
            or self._size > RUN_BYTES
            or self._carrier.buffered > BUFFER_BYTES
        ):
            self.stop(StorageFailed)
            raise StorageFailed(f"{self.run.run_id}: too much waits for Redis, or is in it")
        nothing_waits = not self._pending
        self._pending += lines
        if nothing_waits:
            self._carrier.mark(self)
        if type(events[-1]) is Done:
            self.stopped = LogError
        self.seq += len(lines)
        return self.seq

    async def flush(self) -> None:
        """See `Writer.flush`. Raises `StorageFailed` if Redis stays away for `PATIENCE`."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not (self.dead or (self.taken and self.stored == self.seq)):
                    self._settled.clear()
                    await self._settled.wait()
        except TimeoutError:
            self.stop(StorageFailed)
        if self.dead:
            assert self.stopped
            raise self.stopped(f"{self.run.run_id}: this writer has ended")

    def release(self) -> None:
        """See `Writer.release`."""
        if not self.stopped:
            self.stopped, self._released = LogError, True

    @property
    def complete(self) -> bool:
        """Whether this writer has no more to write, and Redis holds all of it."""
        return (self.run.finished or self._released) and not self._pending

    @property
    def dead(self) -> bool:
        """Whether nothing more of it may be stored."""
        return self.stopped is Fenced or self.stopped is StorageFailed

    def turn(self) -> list[bytes]:
        """The lines for the next round: one batch of the oldest."""
        self.turns += 1
        return fit(self._pending[:BATCH_EVENTS])

    def request(self, lines: list[bytes]) -> tuple[int, str, bool, int, list[str]]:
        """The arguments of `APPEND` for this run, with `lines` to be added.

        They are text: the MessagePack of Redis 7 knows no binary type."""
        text = [line.decode() for line in lines]
        return self.attempt, self.token, not self.taken, self.stored + 1, text

    def settle(self, sent: int, status: int, last: int) -> None:
        """Redis has answered a round with `sent` lines of ours.

        The pending lines are those that it may not have: a round whose answer was lost is sent
        again. After `ERROR` it is as well, when the sender next looks."""
        if self.dead:
            return
        if status == scripts.OK:
            self._advance(sent, last)
        elif status == scripts.LOST:
            self._refill(last)
        elif status == scripts.FENCED:
            self.stop(Fenced)
        elif status == scripts.FINISHED:
            self.run.finished = True
            self.stop(Fenced)
        if self._pending and status != scripts.ERROR:
            self._carrier.mark(self)
        self._settled.set()

    def stop(self, reason: type[LogError]) -> None:
        """Store nothing more. All appends and waits raise `reason` from now on."""
        if self.dead:
            return
        self.stopped, self._pending = reason, []
        self._buffer(-self._pending_size)
        self._carrier.drop(self)
        self.run.starve()
        self._settled.set()

    def _advance(self, sent: int, last: int) -> None:
        """Redis holds everything up to `last`, by us if anything was sent."""
        if not self.taken:
            if not sent:
                if last != self.stored and self._pending:
                    return self.stop(Fenced)
                self.stored = last
                self.seq = last + len(self._pending)
            self.taken = True
            if self.attempt:  # acceptance does not go on itself: who does tells subscribers
                self.run.feed(self.stored)
        if last > self.seq:  # another acceptance
            return self.stop(Fenced)
        self._confirm(last)

    def _confirm(self, last: int) -> None:
        count = last - self.stored
        if not count:
            return
        lines, self._pending = self._pending[:count], self._pending[count:]
        self._buffer(-sum(map(len, lines)))
        first, self.stored = self.stored + 1, last
        self.run.take(self.attempt, first, lines)

    def _refill(self, last: int) -> None:
        """Redis came back and ends at `last`, before what it had confirmed: send that again."""
        lines = self.run.lines_after(last) if self.run.seq >= self.stored else None
        if lines is None:
            self.run.fail(HistoryLost)
            return self.stop(StorageFailed)
        lines = lines[: self.stored - last]
        self._buffer(sum(map(len, lines)))
        self._pending, self.stored = lines + self._pending, last

    def _buffer(self, size: int) -> None:
        self._pending_size += size
        self._carrier.buffered += size
