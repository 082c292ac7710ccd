"""`engine.log.shares`: what one owner's journals may take on disk, also after a restart."""

import gc
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.events import Stamp
from engine.log.base import UnknownRun, Writer
from engine.log.file import FileLog
from engine.log.shares import Shares
from tests.engine.log.contract import DONE, token

LIMIT = 11_000
RUN_BYTES = 3_100  # of a token: with the rest of its run less than a third of that


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[FileLog]:
    log = FileLog(tmp_path, retention=600, owner_bytes=LIMIT)
    yield log
    await log.aclose()


def begin(log: FileLog, run_id: str, owner: str = "acme") -> Writer:
    writer = log.writer(Stamp(run_id, "c", "m", owner), 1)
    writer.append(token(0, RUN_BYTES))
    return writer


def runs(log: FileLog, *run_ids: str, owner: str = "acme") -> None:
    for run_id in run_ids:
        begin(log, run_id, owner).append(DONE)


async def kept(log: FileLog) -> list[str]:
    return [run_id for n in range(9) if await log.last(run_id := f"run_{n}")]


async def test_the_oldest_ended_runs_go_first(log: FileLog, tmp_path: Path) -> None:
    runs(log, "run_1", "run_2", "run_3")
    assert await log.has_room("acme")
    assert await kept(log) == ["run_1", "run_2", "run_3"]
    runs(log, "run_4", "run_5")
    assert await log.has_room("acme")
    assert await kept(log) == ["run_3", "run_4", "run_5"]
    assert len(os.listdir(tmp_path)) == 3


async def test_an_owner_makes_room_of_its_own_runs_only(log: FileLog) -> None:
    runs(log, "run_0", "run_1", "run_2", owner="globex")
    runs(log, "run_3", "run_4", "run_5", "run_6")
    assert await log.has_room("globex")
    assert await log.has_room("acme")
    assert await kept(log) == ["run_0", "run_1", "run_2", "run_4", "run_5", "run_6"]


async def test_runs_that_are_written_go_never_and_leave_no_room(log: FileLog) -> None:
    runs(log, "run_0")
    writers = [begin(log, f"run_{n}") for n in range(1, 5)]
    assert not await log.has_room("acme")
    assert await kept(log) == ["run_1", "run_2", "run_3", "run_4"]
    assert await log.has_room("globex")
    writers[0].append(DONE)
    assert await log.has_room("acme")
    assert await kept(log) == ["run_2", "run_3", "run_4"]


async def test_a_reader_of_a_run_that_goes_is_told(log: FileLog) -> None:
    runs(log, "run_1", "run_2", "run_3", "run_4")
    assert await log.has_room("acme")
    with pytest.raises(UnknownRun):
        await log.read("run_1")


async def test_a_later_attempt_counts_what_is_there_once(log: FileLog) -> None:
    for attempt in range(1, 9):
        writer = log.writer(Stamp("run_1", "c", "m", "acme"), attempt)
        if attempt == 1:
            writer.append(token(0, RUN_BYTES))
    assert await log.has_room("acme")


async def test_what_is_erased_or_swept_counts_no_more(tmp_path: Path) -> None:
    now = 0.0
    log = FileLog(tmp_path, retention=600, owner_bytes=LIMIT, clock=lambda: now)
    for _ in range(9):
        runs(log, "run_1")
        writer = begin(log, "run_2")
        runs(log, "run_3")
        await log.erase("run_1")
        await log.erase("run_2")
        now += 601
        await log.sweep()
    del writer
    runs(log, "run_1", "run_2", "run_3")
    assert await log.has_room("acme")
    assert await kept(log) == ["run_1", "run_2", "run_3"]
    await log.aclose()


async def test_after_a_restart_the_runs_are_their_owners(log: FileLog, tmp_path: Path) -> None:
    for n in range(1, 5):
        runs(log, f"run_{n}")
        os.utime(tmp_path / f"run_{n}.jsonl", (n, n))
    runs(log, "run_5", owner="globex")
    begin(log, "run_6")
    await log.aclose()
    owners = {f"run_{n}": "acme" for n in range(1, 5)} | {"run_5": "globex"}

    later = FileLog(tmp_path, retention=600, owner_bytes=LIMIT, clock=lambda: 5.0)
    assert later.unfinished() == ["run_6"]
    assert await later.has_room("acme")  # nobody has said whose they are
    assert later.without_owner() == list(owners)
    later.assign(owners)
    later.writer(Stamp("run_6", "c", "m", "acme"), 2)
    assert later.without_owner() == []
    assert await later.has_room("acme")
    assert await kept(later) == ["run_3", "run_4", "run_5", "run_6"]
    await later.aclose()


async def test_many_small_runs_go_in_steps(tmp_path: Path) -> None:
    log = FileLog(tmp_path, retention=600, owner_bytes=LIMIT)
    writers = [begin(log, f"big_{n}") for n in range(4)]
    for n in range(1000):
        log.writer(Stamp(f"small_{n}", "c", "m", "acme"), 1).append(DONE)
    assert not await log.has_room("acme")
    assert len(os.listdir(tmp_path)) == len(writers)
    await log.aclose()


def test_an_owner_without_runs_costs_nothing() -> None:
    shares = Shares(LIMIT)
    for n in range(100):
        share = shares.of(f"owner_{n}")
        share.used += 1
        shares.end(f"run_{n}", share, 1)
        shares.forget(f"run_{n}")
    del share
    gc.collect()
    assert len(shares._shares) == 0
