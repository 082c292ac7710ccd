"""The memory log keeps the contract, and its bounds."""

from collections.abc import AsyncIterator

import pytest

from engine.events import Stamp
from engine.log.base import HistoryLost, UnknownRun
from engine.log.memory import MemoryLog
from tests.engine.log.contract import DONE, RUN, STAMP, LogContract, page, seqs, token


class MemoryBackend:
    def __init__(self) -> None:
        self.now = 0.0
        self.log = MemoryLog(retention=600, max_bytes=16 * 2**20, clock=lambda: self.now)

    async def after_retention(self) -> None:
        self.now += 601


@pytest.fixture
async def backend() -> AsyncIterator[MemoryBackend]:
    backend = MemoryBackend()
    yield backend
    await backend.log.aclose()


class TestContract(LogContract):
    pass


async def test_p3_beyond_max_bytes_the_oldest_events_are_lost_and_this_is_told() -> None:
    log = MemoryLog(max_bytes=10_000)
    writer = log.writer(STAMP, 1)
    for index in range(1000):
        writer.append(token(index))
    assert log.used <= 10_000
    with pytest.raises(HistoryLost):
        await log.read(RUN)
    assert seqs(await page(log, after=980)) == list(range(981, 1001))
    entry = await log.last(RUN)
    assert entry is not None and entry.seq == 1000


async def test_a_full_log_drops_finished_runs_first() -> None:
    log = MemoryLog(total_bytes=20_000)
    for n in range(10):
        writer = log.writer(Stamp(f"run_{n}", "c", "m"), 1)
        writer.append(token(0, 5000))
        if n != 0:
            writer.append(DONE)
        assert log.used <= 20_000
    with pytest.raises(UnknownRun):
        await log.read("run_1")
    assert len(await page(log, "run_0")) == 1
    assert len(await page(log, "run_9")) == 2


async def test_a_log_full_of_active_runs_trims_what_is_written() -> None:
    log = MemoryLog(total_bytes=20_000)
    writers = [log.writer(Stamp(f"run_{n}", "c", "m"), 1) for n in range(3)]
    for index in range(300):
        for writer in writers:
            writer.append(token(index, 100))
        assert log.used <= 20_000
    for n in range(3):
        assert (await page(log, f"run_{n}", after=299))[0].seq == 300
        with pytest.raises(HistoryLost):
            await log.read(f"run_{n}")


async def test_bytes_in_use_are_given_back() -> None:
    log = MemoryLog()
    writer = log.writer(STAMP, 1)
    writer.append(token(0))
    assert log.used > 0
    await log.erase(RUN)
    assert log.used == 0
