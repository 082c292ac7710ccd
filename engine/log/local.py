"""The parts that the memory log and the journal share: fencing, the recent events, the waiting
readers.

All of them belong to one event loop. There is one `Run` object per run as long as anybody uses it.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Generic, TypeVar

from engine.events import LAST, Done, Event, NewEvent, Stamp, type_of
from engine.log.base import (
    Entry,
    Fenced,
    LogError,
    PositionAhead,
    Push,
    StorageFailed,
    UnknownRun,
)

BATCH = 64 * 1024  # bytes a reader gets at once; what a stalled reader holds in memory
BATCH_EVENTS = 1024  # the same for tiny events: an entry costs more than its bytes
SWEEP_STEP = 64  # runs dropped before the loop gets a turn (an unlink costs about 10 us)


class Reader:
    """A reader that waits at the end of a run for the next events."""

    __slots__ = ("after", "push")

    def __init__(self, after: int, push: Push) -> None:
        self.after, self.push = after, push

    def take(self, types: list[str], lines: list[bytes], last: int) -> bool:
        """Whether the reader has them; `done` is for the reader itself, who ends with it."""
        if last - len(lines) != self.after or types[-1] == LAST:
            return False
        if not self.push((types, lines, last)):
            return False
        self.after = last
        return True


class Window:
    """The newest lines of a run, at most `limit` bytes, and the readers who wait for more."""

    __slots__ = (
        "__weakref__",
        "attempt",
        "failed",
        "finished",
        "limit",
        "run_id",
        "seq",
        "tail",
        "tail_size",
        "waiting",
    )

    def __init__(self, run_id: str, limit: int) -> None:
        self.run_id, self.limit = run_id, limit
        self.seq = 0  # of the last event
        self.tail: list[bytes] = []
        self.tail_size = 0  # bytes
        self.attempt = -1
        self.finished = False
        self.failed: type[LogError] | None = None  # what readers get instead of waiting
        self.waiting: dict[asyncio.Future[None], Reader | None] = {}

    def keep(self, lines: list[bytes]) -> None:
        """Add `lines` to the tail."""
        self.seq += len(lines)
        self.tail += lines
        self.tail_size += sum(map(len, lines))
        if self.tail_size > self.limit:
            self.trim(self.limit // 2)  # by halves: moving the list costs next to nothing

    def trim(self, size: int) -> None:
        """Drop the oldest lines until `size` bytes are left, but never the last line."""
        drop = 0
        while self.tail_size > size and drop < len(self.tail) - 1:
            self.tail_size -= len(self.tail[drop])
            drop += 1
        del self.tail[:drop]

    def read(self, after: int) -> list[Entry]:
        """One batch after `after`. Raises what `Log.read` does."""
        if self.failed is UnknownRun:
            raise UnknownRun(self.run_id)
        if not 0 <= after <= self.seq:
            raise PositionAhead(f"{self.run_id}: {after} of {self.seq}")
        start = after - (self.seq - len(self.tail))
        if start < 0:
            lines = fit(self.older(after))
        else:
            lines = self.tail[start : start + BATCH_EVENTS]
            if self.tail_size > BATCH:
                lines = fit(lines)
        return [Entry(seq, type_of(line), line) for seq, line in enumerate(lines, after + 1)]

    def older(self, after: int) -> list[bytes]:
        """About one batch of lines after `after`, which is before the tail."""
        raise NotImplementedError

    def wake(self) -> None:
        """Let the waiting readers look again."""
        for future in self.waiting:
            if not future.done():  # a cancelled reader has not run its `finally` yet
                future.set_result(None)
        self.waiting.clear()

    def hand_out(self, types: list[str], lines: list[bytes]) -> None:
        """Give the newest events to the readers who take them; wake the others."""
        for future, reader in list(self.waiting.items()):
            if reader is None or future.done() or not reader.take(types, lines, self.seq):
                del self.waiting[future]
                if not future.done():
                    future.set_result(None)

    async def news(self, reader: Reader | None = None) -> None:
        """Wait until there is something to read that `reader` was not given already.

        Raises why there will be nothing."""
        if self.failed:
            raise self.failed(self.run_id)
        # A future of its own: one that readers share is cancelled for all when one is cancelled.
        future = asyncio.get_running_loop().create_future()
        self.waiting[future] = reader
        try:
            await future
        finally:
            self.waiting.pop(future, None)

    def fail(self, error: type[LogError]) -> None:
        """Readers get `error` once they have read what there is (`UnknownRun`: at once)."""
        self.failed = error
        self.wake()


class Run(Window):
    """One run in this process, and its writer."""

    __slots__ = ("writer",)

    def __init__(self, run_id: str, limit: int) -> None:
        super().__init__(run_id, limit)
        self.writer: LocalWriter | None = None

    def store(self, lines: list[bytes]) -> None:
        """Make `lines` the next events. Raises `StorageFailed` with nothing changed."""
        self.keep(lines)

    def stop_writer(self, reason: type[LogError]) -> None:
        """The present writer, if any, gets `reason` from now on."""
        if self.writer is not None:
            self.writer.stopped, self.writer = reason, None


def fit(lines: list[bytes]) -> list[bytes]:
    """The first of `lines` that fit a batch, at least one."""
    size = 0
    for index, line in enumerate(lines):
        size += len(line)
        if size > BATCH and index:
            return lines[:index]
    return lines


R = TypeVar("R", bound=Run)


class LocalWriter:
    """`Writer` of a local log."""

    __slots__ = ("_log", "_run", "_stamp", "seq", "stopped")

    def __init__(self, log: "LocalLog[Any]", run: Run, stamp: Stamp) -> None:
        self._log, self._run, self._stamp = log, run, stamp
        self.seq = run.seq
        self.stopped: type[LogError] | None = None  # why this writer may write no more

    def append(self, event: Event) -> int:
        """See `Writer.append`. Raises `LogError` after `done`."""
        return self.extend([event])

    def extend(self, events: Sequence[NewEvent]) -> int:
        """See `Writer.extend`; all of them are stored, or none."""
        if self.stopped:
            raise self.stopped(f"{self._run.run_id}: this writer has ended")
        run = self._run
        types, lines = self._stamp.seal_all(events, self.seq + 1)
        try:
            run.store(lines)
        except StorageFailed:
            self._log.break_off(run)
            raise
        self.seq = run.seq
        if run.waiting:
            run.hand_out(types, lines)
        if type(events[-1]) is Done:
            self._log.finish(run)
        return self.seq

    async def flush(self) -> None:
        """See `Writer.flush`; `append` has stored everything already. Raises `StorageFailed`."""
        if self.stopped is Fenced or self.stopped is StorageFailed:
            raise self.stopped(f"{self._run.run_id}: this writer has ended")

    def release(self) -> None:
        """See `Writer.release`."""
        if not self.stopped:
            self._log.release(self._run)


class LocalLog(ABC, Generic[R]):
    """`Log` for one process. `retention` in seconds; `clock` is the Unix time."""

    def __init__(self, retention: float, clock: Callable[[], float] = time.time) -> None:
        self._retention, self._clock = retention, clock
        self._ended: deque[tuple[float, str]] = deque()  # finished runs, oldest first

    @abstractmethod
    def _find(self, run_id: str) -> R | None:
        """The run, or None if the log holds nothing of it."""

    @abstractmethod
    def _new(self, run_id: str) -> R:
        """A run that begins. Raises `LogError` if `run_id` cannot be one."""

    @abstractmethod
    def _begin(self, run: R, owner: str) -> None:
        """Make `run`, which is the owner's, ready to be written. Raises `StorageFailed`."""

    @abstractmethod
    def _drop(self, run_id: str) -> R | None:
        """Forget the run's events wherever they are; returns the run if it is in memory."""

    @abstractmethod
    async def aclose(self) -> None:
        """See `Log.aclose`."""

    def writer(self, stamp: Stamp, attempt: int) -> LocalWriter:
        """See `Log.writer`. Attempt 0 (acceptance) may be taken again, a later one only once.

        Raises `StorageFailed`, and `LogError` if the run is finished."""
        run = self._find(stamp.run_id) or self._new(stamp.run_id)
        if run.finished:
            raise LogError(f"{run.run_id} is finished")
        if attempt < run.attempt or attempt == run.attempt > 0:
            raise Fenced(f"{run.run_id}: attempt {run.attempt} holds it")
        self._begin(run, stamp.owner)
        run.stop_writer(Fenced)
        run.attempt, run.failed = attempt, None
        run.writer = LocalWriter(self, run, stamp)
        return run.writer

    async def read(self, run_id: str, after: int = 0) -> list[Entry]:
        """See `Log.read`."""
        return self._known(run_id).read(after)

    async def follow(
        self, run_id: str, after: int = 0, push: Push | None = None
    ) -> AsyncGenerator[list[Entry], None]:
        """See `Log.follow`."""
        run = self._known(run_id)
        while True:
            entries = run.read(after)
            if entries:
                yield entries
                after = entries[-1].seq
                if entries[-1].type == LAST:
                    return
            if after < run.seq:
                await asyncio.sleep(0)  # a reader far behind must not hold the loop
            elif run.finished:
                return
            elif push is None:
                await run.news()
            else:
                reader = Reader(after, push)
                await run.news(reader)
                after = reader.after

    async def last(self, run_id: str) -> Entry | None:
        """See `Log.last`."""
        run = self._find(run_id)
        return run.read(run.seq - 1)[-1] if run is not None and run.seq else None

    async def has_room(self, owner: str) -> bool:
        """See `Log.has_room`."""
        return True

    async def erase(self, run_id: str) -> None:
        """See `Log.erase`."""
        self._forget(run_id)

    async def sweep(self) -> None:
        """See `Log.sweep`."""
        oldest = self._clock() - self._retention
        dropped = 0
        while self._ended and self._ended[0][0] <= oldest:
            self._forget(self._ended.popleft()[1])
            dropped += 1
            if dropped % SWEEP_STEP == 0:
                await asyncio.sleep(0)

    def finish(self, run: R) -> None:
        """`done` of `run` is stored: no more writes, and its retention begins."""
        run.finished = True
        run.stop_writer(LogError)
        self._ended.append((self._clock(), run.run_id))

    def release(self, run: R) -> None:
        """See `Writer.release`."""
        run.stop_writer(LogError)

    def counts(self) -> dict[str, int]:
        """See `Log.counts`."""
        return {"kept": len(self._ended)}

    def break_off(self, run: R) -> None:
        """An event of `run` could not be stored: its readers end, until a later attempt goes on."""
        run.stop_writer(StorageFailed)
        run.fail(StorageFailed)
        if not run.seq:
            self._drop(run.run_id)

    def _known(self, run_id: str) -> R:
        run = self._find(run_id)
        if run is None:
            raise UnknownRun(run_id)
        return run

    def _forget(self, run_id: str) -> None:
        run = self._drop(run_id)
        if run is not None:
            run.stop_writer(Fenced)
            run.tail.clear()
            run.fail(UnknownRun)
