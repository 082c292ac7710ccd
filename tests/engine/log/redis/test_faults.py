"""Redis is killed, away or stalled under load: nothing is lost, nothing comes twice."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from engine.events import Stamp
from engine.log.base import StorageFailed
from engine.log.redis.log import RedisLog
from engine.log.redis.writer import PENDING_BYTES, RedisWriter
from tests.engine.log.contract import DONE, page, seqs, token
from tests.redis_server import RedisServer

pytestmark = pytest.mark.redis
RUNS = 20
GAP = 0.01  # seconds between the events of a run


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """One that writes to disk what it confirms, and may be killed."""
    server = RedisServer(tmp_path / "redis", aof=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def log(server: RedisServer) -> AsyncIterator[RedisLog]:
    """The log of the process that writes."""
    log = RedisLog(server.url, retention=600)
    yield log
    await log.aclose()


@pytest.fixture
async def other(server: RedisServer) -> AsyncIterator[RedisLog]:
    """The log of another process, which only reads."""
    log = RedisLog(server.url, retention=600)
    yield log
    await log.aclose()


class Load:
    """Runs that are written, and followed in both processes."""

    def __init__(self, log: RedisLog, other: RedisLog) -> None:
        self.log, self.other = log, other
        self.stopping = asyncio.Event()
        self.heard = asyncio.Event()  # something, in the other process
        self.attached = asyncio.Semaphore(0)
        self.written: list[int] = []

    @asynccontextmanager
    async def going(self) -> AsyncIterator["Load"]:
        """Write for the length of the block; then all of it has to arrive, in both places."""
        writers = [self.log.writer(Stamp(f"run_{n}", "c", "m"), 1) for n in range(RUNS)]
        for writer in writers:
            writer.append(token(0))
            await writer.flush()
        async with asyncio.TaskGroup() as tasks:
            writing = [tasks.create_task(self._write(writer)) for writer in writers]
            following = [
                tasks.create_task(self._follow(log, f"run_{n}"))
                for log in (self.log, self.other)
                for n in range(RUNS)
            ]
            for _ in following:
                await self.attached.acquire()
            yield self
            self.stopping.set()
        counts = [task.result() for task in writing]
        for count, task in zip(counts * 2, following, strict=True):
            assert task.result() == list(range(1, count + 1))
        for n, count in enumerate(counts):
            assert seqs(await page(self.other, f"run_{n}")) == list(range(1, count + 1))

    async def recovered(self) -> float:
        """Seconds until the other process hears something again."""
        began = time.monotonic()
        self.heard.clear()
        await self.heard.wait()
        return time.monotonic() - began

    async def _write(self, writer: RedisWriter) -> int:
        for index in itertools.count(1):
            if self.stopping.is_set():
                break
            writer.append(token(index, index * 37 % 300))
            await asyncio.sleep(GAP)
        writer.append(DONE)
        await writer.flush()
        return writer.seq

    async def _follow(self, log: RedisLog, run_id: str) -> list[int]:
        got: list[int] = []
        async with aclosing(log.follow(run_id)) as batches:
            async for batch in batches:
                if not got:
                    self.attached.release()
                got += seqs(batch)
                if log is self.other:
                    self.heard.set()
        return got


async def test_it_works(log: RedisLog, other: RedisLog) -> None:
    async with Load(log, other).going() as load:
        assert await load.recovered() < 5


async def test_p21_ten_kills_lose_nothing(
    log: RedisLog, other: RedisLog, server: RedisServer
) -> None:
    async with Load(log, other).going() as load:
        for _ in range(10):
            server.kill()
            await asyncio.to_thread(server.start)
            assert await load.recovered() < 10


async def test_p21_runs_go_on_while_redis_is_down(
    log: RedisLog, other: RedisLog, server: RedisServer
) -> None:
    async with Load(log, other).going() as load:
        server.kill()
        await asyncio.sleep(3)
        await asyncio.to_thread(server.start)
        assert await load.recovered() < 5


async def test_a_redis_that_stalls_costs_only_time(
    log: RedisLog, other: RedisLog, server: RedisServer
) -> None:
    async with Load(log, other).going() as load:
        server.stall()
        await asyncio.sleep(2)
        server.wake()
        assert await load.recovered() < 5


async def test_what_redis_forgot_is_sent_again(
    log: RedisLog, other: RedisLog, server: RedisServer
) -> None:
    async with Load(log, other).going() as load:
        server.ask("FLUSHALL")
        assert await load.recovered() < 5


async def test_a_finished_run_that_redis_forgot_is_sent_again(
    log: RedisLog, other: RedisLog, server: RedisServer
) -> None:
    writer = log.writer(Stamp("run_1", "c", "m"), 1)
    writer.append(token(0))
    writer.append(DONE)
    await writer.flush()
    async with aclosing(other.follow("run_1")) as batches:
        assert seqs(await anext(batches)) == [1, 2]
    async with Redis.from_url(server.url) as client, client.pubsub() as pubsub:
        await pubsub.subscribe("claw:run:run_1")
        server.ask("FLUSHALL")
        messages = pubsub.listen()
        while (await anext(messages))["type"] != "message":
            pass  # it is published when it is stored
        await messages.aclose()
    assert seqs(await page(other, "run_1")) == [1, 2]


async def test_what_waits_for_redis_is_bounded(
    log: RedisLog, other: RedisLog, server: RedisServer
) -> None:
    writer = log.writer(Stamp("run_1", "c", "m"), 1)
    writer.append(token(0))
    await writer.flush()
    server.kill()
    with pytest.raises(StorageFailed):
        for index in range(1, 2 * PENDING_BYTES // 50_000):
            writer.append(token(index, 50_000))
    assert log.counts()["buffered_bytes"] == 0
    with pytest.raises(StorageFailed):
        await writer.flush()
    server.start()
    later = other.writer(Stamp("run_1", "c", "m"), 2)
    await later.flush()
    assert later.append(DONE) == 2
    await later.flush()
