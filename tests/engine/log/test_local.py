"""What both local logs share: waiting readers, the tail, broken storage."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from engine.events import Batch, seq_of, type_of
from engine.log.base import LogError, StorageFailed
from engine.log.file import FileLog
from engine.log.local import LocalLog, LocalWriter, Run, fit
from engine.log.memory import MemoryLog, MemoryRun
from tests.engine.log.contract import DONE, RUN, STAMP, page, seqs, token, watch


class BrittleRun(MemoryRun):
    """A run on a disk that can be full."""

    full = False

    def store(self, lines: list[bytes]) -> None:
        if self.full:
            raise StorageFailed("full")
        super().store(lines)


class BrittleLog(MemoryLog):
    def _new(self, run_id: str) -> BrittleRun:
        return BrittleRun(run_id, self.max_bytes, self)


def run_of(writer: LocalWriter) -> Run:
    return writer._run


async def until_waiting(run: Run, readers: int) -> None:
    for _ in range(100):
        if len(run.waiting) == readers:
            return
        await asyncio.sleep(0)
    raise AssertionError(f"{len(run.waiting)} readers wait, not {readers}")


async def test_readers_that_left_leave_no_future() -> None:
    log = MemoryLog()
    run = run_of(log.writer(STAMP, 1))
    for _ in range(1000):
        reader = asyncio.create_task(watch(log))
        await until_waiting(run, 1)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
    assert not run.waiting


async def test_an_event_and_a_cancel_at_once_are_both_seen() -> None:
    log = MemoryLog()
    writer = log.writer(STAMP, 1)
    reader, other = (asyncio.create_task(watch(log)) for _ in range(2))
    await until_waiting(run_of(writer), 2)
    reader.cancel()
    writer.append(DONE)
    assert len(await other) == 1
    with pytest.raises(asyncio.CancelledError):
        await reader


async def test_a_reader_far_behind_lets_others_work() -> None:
    log = MemoryLog(max_bytes=2**24)
    writer = log.writer(STAMP, 1)
    for index in range(100):
        writer.append(token(index, 30_000))
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(count_turns())
    async with aclosing(log.follow(RUN)) as batches:
        async for batch in batches:
            if batch[-1].seq == 100:
                break
    other.cancel()
    assert turns >= 40


async def test_the_tail_is_bounded_and_keeps_the_last_line() -> None:
    run = Run(RUN, 1000)
    for _ in range(100):
        run.store([b"x" * 90])
        assert sum(map(len, run.tail)) == run.tail_size <= 1000
    run.store([b"x" * 5000])
    assert (len(run.tail), run.tail_size, run.seq) == (1, 5000, 101)


def test_a_batch_has_at_least_one_line() -> None:
    big, small = b"x" * 100_000, b"x"
    assert fit([big, big]) == [big]
    assert fit([small, big]) == [small]
    assert fit([small, small]) == [small, small]
    assert fit([]) == []


async def test_when_storage_fails_readers_end_and_a_later_attempt_goes_on() -> None:
    log = BrittleLog()
    writer = log.writer(STAMP, 1)
    run = run_of(writer)
    assert isinstance(run, BrittleRun)
    writer.append(token(0))
    waiting = asyncio.create_task(watch(log))
    await until_waiting(run, 1)
    run.full = True
    for _ in range(2):
        with pytest.raises(StorageFailed):
            writer.append(token(1))
    with pytest.raises(StorageFailed):
        await writer.flush()
    with pytest.raises(StorageFailed):
        await waiting
    async with aclosing(log.follow(RUN)) as batches:  # what is stored can be read
        assert seqs(await anext(batches)) == [1]
        with pytest.raises(StorageFailed):
            await anext(batches)
    run.full = False
    with pytest.raises(StorageFailed):
        writer.append(token(1))
    later = log.writer(STAMP, 2)
    assert later.append(DONE) == 2
    assert seqs(await watch(log)) == [1, 2]


async def test_a_run_whose_first_event_fails_leaves_nothing() -> None:
    log = BrittleLog()
    writer = log.writer(STAMP, 0)
    run = run_of(writer)
    assert isinstance(run, BrittleRun)
    run.full = True
    with pytest.raises(StorageFailed):
        writer.append(token(0))
    assert await log.last(RUN) is None
    assert log._find(RUN) is None


async def test_a_closed_log_takes_no_events() -> None:
    log = MemoryLog()
    writer = log.writer(STAMP, 1)
    writer.append(token(0))
    await log.aclose()
    with pytest.raises(LogError):
        writer.append(token(1))
    assert seqs(await page(log)) == [1]


@pytest.mark.parametrize(
    "make", [lambda folder: MemoryLog(), lambda folder: FileLog(folder, retention=60)]
)
async def test_who_waits_for_more_is_told_when_the_log_closes(
    make: Callable[[Path], LocalLog[Any]], tmp_path: Path
) -> None:
    log = make(tmp_path)
    log.writer(STAMP, 0).append(token(0))
    async with aclosing(log.follow(RUN)) as batches:
        assert seqs(await anext(batches)) == [1]
        waiting = asyncio.ensure_future(anext(batches))
        await asyncio.sleep(0)
        await log.aclose()
        with pytest.raises(LogError):
            await waiting


async def test_a_reader_is_pushed_together_what_was_stored_together() -> None:
    log = MemoryLog()
    writer = log.writer(STAMP, 1)
    writer.append(token(0))
    given: list[list[int]] = []

    def push(batch: Batch) -> bool:
        types, lines, last = batch
        assert types == [type_of(line) for line in lines]
        given.append([seq_of(line) for line in lines])
        assert given[-1][-1] == last
        return len(given) < 3  # the third time it is behind

    read: list[int] = []

    async def follow() -> None:
        async with aclosing(log.follow(RUN, 1, push)) as batches:
            async for batch in batches:
                read.extend(seqs(batch))

    following = asyncio.create_task(follow())
    await asyncio.sleep(0)
    for first, last in ((1, 3), (3, 4), (4, 6)):
        writer.extend([token(index) for index in range(first, last)])
    writer.append(DONE)
    await following

    assert given == [[2, 3], [4], [5, 6]]
    assert read == [5, 6, 7]
