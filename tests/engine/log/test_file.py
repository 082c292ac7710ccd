"""The journal keeps the contract, survives kills, and costs little memory."""

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from engine.events import Stamp
from engine.log.base import LogError, StorageFailed, UnknownRun
from engine.log.file import RECENT, FileLog
from tests.engine.log.contract import (
    DONE,
    RUN,
    STAMP,
    DurableLogContract,
    page,
    seqs,
    token,
    watch,
    write,
)
from tests.engine.log.test_journal import disk_full_at
from tests.engine.log.test_spare import no_descriptors

ROOT = Path(__file__).parents[3]


class FileBackend:
    def __init__(self, directory: Path) -> None:
        self.now = 0.0
        self._directory = directory
        self.log = self._open()

    def _open(self) -> FileLog:
        return FileLog(self._directory, retention=600, clock=lambda: self.now)

    async def reopen(self) -> None:
        await self.log.aclose()
        self.log = self._open()

    async def after_retention(self) -> None:
        self.now += 601


@pytest.fixture
async def backend(tmp_path: Path) -> AsyncIterator[FileBackend]:
    backend = FileBackend(tmp_path)
    yield backend
    await backend.log.aclose()


@pytest.fixture
async def log(backend: FileBackend) -> FileLog:
    return backend.log


def stamp(n: int) -> Stamp:
    return Stamp(f"run_{n}", "conv_1", "msg_1")


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def resident() -> int:
    """Bytes of memory this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class TestContract(DurableLogContract):
    pass


def test_a_killed_process_loses_nothing_it_reported(tmp_path: Path) -> None:
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.log.writing_process", str(tmp_path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        reported = dict.fromkeys(map(str, range(5)), 0)
        for _ in range(2000):
            run, seq = process.stdout.readline().decode().split()
            reported[run] = int(seq)
        process.kill()
        for line in process.stdout.read().splitlines(keepends=True):
            if line.endswith(b"\n"):
                run, seq = line.decode().split()
                reported[run] = int(seq)
        process.stdout.close()
        process.wait()
        asyncio.run(check_reported(tmp_path, reported))


async def check_reported(directory: Path, reported: dict[str, int]) -> None:
    log = FileLog(directory, retention=600)
    assert sorted(log.unfinished()) == [f"run_{n}" for n in range(5)]
    for run, seq in reported.items():
        entries = await page(log, f"run_{run}")
        assert seqs(entries) == list(range(1, len(entries) + 1))
        assert seq <= len(entries) <= seq + 1
    await log.aclose()


async def test_a_torn_last_line_is_not_delivered_and_cut(
    backend: FileBackend, tmp_path: Path
) -> None:
    await write(backend.log.writer(STAMP, 1), 3)
    with (tmp_path / f"{RUN}.jsonl").open("ab") as file:
        file.write(b'{"type":"token","content":"to')
    await backend.reopen()
    assert backend.log.unfinished() == [RUN]
    assert seqs(await page(backend.log)) == [1, 2, 3]
    assert backend.log.writer(STAMP, 2).append(DONE) == 4
    assert seqs(await watch(backend.log)) == [1, 2, 3, 4]
    await backend.reopen()
    assert seqs(await watch(backend.log)) == [1, 2, 3, 4]


async def test_damage_in_the_middle_of_a_finished_run_is_told(
    backend: FileBackend, tmp_path: Path
) -> None:
    await write(backend.log.writer(STAMP, 1), 300, done=True)
    path = tmp_path / f"{RUN}.jsonl"
    content = path.read_bytes()
    cut = content.index(b"\n", len(content) // 2)
    path.write_bytes(content[:cut] + content[cut + 1 :])
    await backend.reopen()
    assert backend.log.unfinished() == []
    with pytest.raises(StorageFailed):
        await watch(backend.log)
    with pytest.raises(StorageFailed):
        backend.log.writer(STAMP, 2)
    await backend.log.erase(RUN)
    assert not path.exists()


async def test_a_new_process_knows_what_is_unfinished(backend: FileBackend, tmp_path: Path) -> None:
    for n in range(6):
        writer = backend.log.writer(stamp(n), 1)
        if n:
            await write(writer, 3, done=n % 2 == 0)
    (tmp_path / "notes.txt").write_text("not ours")
    (tmp_path / "not ours.jsonl").write_text("not ours")
    await backend.reopen()
    assert sorted(backend.log.unfinished()) == ["run_1", "run_3", "run_5"]
    assert not (tmp_path / "run_0.jsonl").exists()  # it never had an event
    assert (tmp_path / "not ours.jsonl").exists()


async def test_retention_goes_on_after_a_restart(backend: FileBackend, tmp_path: Path) -> None:
    for n in range(4):
        await write(backend.log.writer(stamp(n), 1), 2, done=n != 3)
        os.utime(tmp_path / f"run_{n}.jsonl", (1000 + n, 1000 + n))
    await backend.reopen()
    backend.log.unfinished()
    backend.now = 1001 + 600
    await backend.log.sweep()
    assert sorted(os.listdir(tmp_path)) == ["run_2.jsonl", "run_3.jsonl"]
    backend.now = 99_999
    await backend.log.sweep()
    assert os.listdir(tmp_path) == ["run_3.jsonl"]


async def test_a_disk_that_is_full_costs_the_event_and_no_other(
    log: FileLog, tmp_path: Path
) -> None:
    writer = log.writer(STAMP, 1)
    await write(writer, 5)
    good = (tmp_path / f"{RUN}.jsonl").read_bytes()
    watcher = asyncio.create_task(watch(log))
    await asyncio.sleep(0)
    with disk_full_at(len(good) + 20), pytest.raises(StorageFailed):
        writer.append(token(5))
    assert (tmp_path / f"{RUN}.jsonl").read_bytes() == good
    with pytest.raises(StorageFailed):
        await watcher
    with pytest.raises(StorageFailed):
        writer.append(token(5))
    later = log.writer(STAMP, 2)
    assert later.append(DONE) == 6
    assert seqs(await watch(log)) == [1, 2, 3, 4, 5, 6]


async def test_a_run_that_never_fitted_leaves_no_file(log: FileLog, tmp_path: Path) -> None:
    writer = log.writer(STAMP, 0)
    with disk_full_at(10), pytest.raises(StorageFailed):
        writer.append(token(0))
    assert os.listdir(tmp_path) == []
    with pytest.raises(UnknownRun):
        await log.read(RUN)


async def test_without_descriptors_runs_go_on(log: FileLog) -> None:
    with no_descriptors():
        writers = [log.writer(stamp(n), 1) for n in range(3)]
        for index in range(1000):
            for writer in writers:
                writer.append(token(index))
        assert len(await page(log, "run_0")) == 1000
        for writer in writers:
            writer.append(DONE)
    for n in range(3):
        assert len(await watch(log, f"run_{n}")) == 1001


async def test_only_runs_being_written_hold_a_descriptor(log: FileLog) -> None:
    before = descriptors()
    writers = [log.writer(stamp(n), 1) for n in range(20)]
    assert descriptors() == before + 20
    for n, writer in enumerate(writers):
        await write(writer, 300, done=True)
        assert len(await watch(log, f"run_{n}")) == 301
    assert descriptors() == before


async def test_aclose_gives_every_descriptor_back(tmp_path: Path) -> None:
    before = descriptors()
    log = FileLog(tmp_path, retention=600)
    writer = log.writer(STAMP, 1)
    writer.append(token(0))
    await log.aclose()
    assert descriptors() == before
    with pytest.raises(LogError):
        writer.append(token(1))


async def test_finished_runs_leave_memory(log: FileLog) -> None:
    for n in range(RECENT + 50):
        writer = log.writer(stamp(n), 1)
        writer.append(DONE)
    del writer
    gc.collect()
    assert len(log._runs) <= RECENT + 1
    assert seqs(await watch(log, "run_0")) == [1]  # read from its file


async def test_a_run_is_one_object_as_long_as_it_is_watched(log: FileLog) -> None:
    await write(log.writer(STAMP, 1), 300, done=True)
    async with aclosing(log.follow(RUN)) as batches:
        first = await anext(batches)
        for n in range(RECENT + 1):
            log.writer(stamp(1000 + n), 1).append(DONE)
        await log.erase(RUN)
        with pytest.raises(UnknownRun):
            await anext(batches)
    assert first[0].seq == 1


@pytest.mark.parametrize("run_id", ["../run_1", "run 1", "", "run_1\n", "x" * 65, "run_é", "a/b"])
async def test_an_id_that_is_no_file_name_is_refused(
    log: FileLog, tmp_path: Path, run_id: str
) -> None:
    outside = tmp_path.parent / "run_1.jsonl"
    outside.write_text("")
    with pytest.raises(UnknownRun):
        await log.read(run_id)
    assert await log.last(run_id) is None
    with pytest.raises(LogError):
        log.writer(Stamp(run_id, "c", "m"), 1)
    with pytest.raises(LogError):
        await log.erase(run_id)
    assert outside.exists()


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="no /proc to measure memory")
async def test_p15_stalled_readers_hold_next_to_nothing(log: FileLog) -> None:
    writers = [log.writer(stamp(n), 1) for n in range(20)]
    event = token(0, 4000)
    for writer in writers:
        writer.append(event)
    readers = [log.follow(f"run_{n}") for n in range(20)]
    held = [await anext(reader) for reader in readers]
    before = resident()
    for _ in range(1000):
        for writer in writers:
            writer.append(event)
    held += [await anext(reader) for reader in readers]
    assert resident() - before < 20 * 2**20
    for reader in readers:
        await reader.aclose()
    assert len(held) == 40


async def test_a_new_process_loads_no_finished_run(backend: FileBackend, tmp_path: Path) -> None:
    for n in range(1000):
        writer = backend.log.writer(stamp(n), 1)
        writer.append(token(0))
        writer.append(DONE)
    del writer
    await backend.reopen()
    assert backend.log.unfinished() == []
    assert len(backend.log._runs) == 0
    backend.now = time.time() + 601
    await backend.log.sweep()
    assert len(backend.log._runs) == 0
    assert os.listdir(tmp_path) == []
