"""The log in Redis keeps the contract, alone and between processes."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from redis.asyncio import Redis

import engine.log.redis
from engine.events import Stamp
from engine.log.base import Fenced, HistoryLost, LogError, StorageFailed, UnknownRun
from engine.log.redis.log import RedisLog
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
from tests.ports import free_port
from tests.redis_server import RedisServer

pytestmark = pytest.mark.redis
RETENTION = 600


class RedisBackend:
    def __init__(self, url: str) -> None:
        self._url = url
        self.log = self._open()

    def _open(self) -> RedisLog:
        return RedisLog(self._url, retention=RETENTION)

    async def reopen(self) -> None:
        await self.log.aclose()
        self.log = self._open()

    async def after_retention(self) -> None:
        """What Redis does when the time has come."""
        async with Redis.from_url(self._url) as client:
            for key in await client.keys("claw:run:*"):
                if await client.ttl(key) <= RETENTION:
                    await client.delete(key)


@pytest.fixture
async def backend(redis_server: RedisServer) -> AsyncIterator[RedisBackend]:
    redis_server.ask("FLUSHALL")
    backend = RedisBackend(redis_server.url)
    yield backend
    await backend.log.aclose()


class TestContract(DurableLogContract):
    pass


@pytest.fixture
async def other(redis_server: RedisServer, backend: RedisBackend) -> AsyncIterator[RedisLog]:
    """The log of another process."""
    log = RedisLog(redis_server.url, retention=RETENTION)
    yield log
    await log.aclose()


class Commands:
    """Counts what Redis is asked."""

    def __init__(self, server: RedisServer) -> None:
        self._url = server.url

    async def count(self, name: str) -> int:
        async with Redis.from_url(self._url) as client:
            stats = await client.info("commandstats")
        return int(stats.get(f"cmdstat_{name}", {}).get("calls", 0))


async def test_another_process_follows_while_it_is_written(
    backend: RedisBackend, other: RedisLog
) -> None:
    writer = backend.log.writer(STAMP, 1)
    await write(writer, 10)
    watchers = [asyncio.create_task(watch(other, after=n)) for n in (0, 3, 10)]
    for index in range(10, 200):
        writer.append(token(index, index))
        await asyncio.sleep(0.001)
    writer.append(DONE)
    await writer.flush()
    whole = await page(other)
    assert seqs(whole) == list(range(1, 202))
    assert await asyncio.gather(*watchers) == [whole, whole[3:], whole[10:]]


async def test_a_run_is_accepted_here_and_executed_there(
    backend: RedisBackend, other: RedisLog
) -> None:
    accepting = backend.log.writer(STAMP, 0)
    accepting.append(token(0))
    await accepting.flush()
    watcher = asyncio.create_task(watch(backend.log))
    writer = other.writer(STAMP, 1)
    await writer.flush()
    assert writer.seq == 1
    assert writer.append(DONE) == 2
    await writer.flush()
    assert seqs(await watcher) == [1, 2]
    assert backend.log.counts()["subscribed"] == 1


async def test_a_stale_writer_is_fenced_by_its_successor(
    backend: RedisBackend, other: RedisLog
) -> None:
    stale = backend.log.writer(STAMP, 1)
    await write(stale, 3)
    local = asyncio.create_task(watch(backend.log))
    writer = other.writer(STAMP, 2)
    await writer.flush()
    assert seqs(await page(other)) == [1, 2, 3]
    for index in range(100):
        stale.append(token(index))  # it does not know yet
    with pytest.raises(Fenced):
        await stale.flush()
    with pytest.raises(Fenced):
        stale.append(DONE)
    assert writer.append(token(0)) == 4
    assert writer.append(DONE) == 5
    await writer.flush()
    assert seqs(await local) == [1, 2, 3, 4, 5]
    assert await watch(backend.log) == await page(other)


async def test_an_idle_writer_learns_that_it_is_fenced(
    backend: RedisBackend, other: RedisLog
) -> None:
    stale = backend.log.writer(STAMP, 1)
    await write(stale, 1)
    local = asyncio.create_task(watch(backend.log))
    writer = other.writer(STAMP, 2)
    await writer.flush()
    await write(writer, 5, done=True)
    assert len(await local) == 7  # though nothing told this process of the new writer
    with pytest.raises(Fenced):
        await stale.flush()


async def test_one_of_two_that_claim_an_attempt_gets_it(
    backend: RedisBackend, other: RedisLog
) -> None:
    writers = [log.writer(STAMP, 1) for log in (backend.log, other)]
    results = await asyncio.gather(*(w.flush() for w in writers), return_exceptions=True)
    assert sorted(map(type, results), key=str) == [type(None), Fenced]


async def test_events_on_a_wrong_guess_are_refused(backend: RedisBackend, other: RedisLog) -> None:
    await write(backend.log.writer(STAMP, 1), 3)
    writer = other.writer(STAMP, 2)  # this process has not looked, and does not wait
    writer.append(token(99))
    with pytest.raises(Fenced):
        await writer.flush()
    assert seqs(await page(other)) == [1, 2, 3]


async def test_a_finished_run_is_not_taken(backend: RedisBackend, other: RedisLog) -> None:
    await write(backend.log.writer(STAMP, 1), 3, done=True)
    writer = other.writer(STAMP, 2)
    with pytest.raises(Fenced):
        await writer.flush()
    with pytest.raises(LogError):
        other.writer(STAMP, 3)


async def test_erase_ends_readers_and_the_writer_elsewhere(
    backend: RedisBackend, other: RedisLog
) -> None:
    writer = backend.log.writer(STAMP, 1)
    await write(writer, 3)
    here, there = asyncio.create_task(watch(backend.log)), asyncio.create_task(watch(other))
    async with aclosing(other.follow(RUN)) as batches:
        await anext(batches)  # it is subscribed
    await other.erase(RUN)
    with pytest.raises(UnknownRun):
        await there
    writer.append(token(3))
    with pytest.raises(Fenced):
        await writer.flush()
    with pytest.raises(UnknownRun):
        await here
    for log in (backend.log, other):
        with pytest.raises(UnknownRun):
            await watch(log)


async def test_local_followers_are_served_from_memory(
    backend: RedisBackend, redis_server: RedisServer
) -> None:
    commands = Commands(redis_server)
    writer = backend.log.writer(STAMP, 1)
    await write(writer, 10)
    redis_server.ask("CONFIG RESETSTAT")
    watchers = [asyncio.create_task(watch(backend.log)) for _ in range(5)]
    for index in range(10, 50):
        writer.append(token(index))
        await writer.flush()
    writer.append(DONE)
    await writer.flush()
    assert [len(entries) for entries in await asyncio.gather(*watchers)] == [51] * 5
    assert await commands.count("subscribe") == 0
    assert await commands.count("xrange") == 0


async def test_nobody_sees_what_redis_has_not_confirmed(
    backend: RedisBackend, redis_server: RedisServer
) -> None:
    writer = backend.log.writer(STAMP, 1)
    await write(writer, 1)
    redis_server.stall()
    try:
        async with aclosing(backend.log.follow(RUN)) as batches:
            assert seqs(await anext(batches)) == [1]
            writer.append(token(1))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await anext(batches)
    finally:
        redis_server.wake()
    await writer.flush()
    assert seqs(await page(backend.log)) == [1, 2]


async def test_a_gap_in_redis_is_lost_history(
    backend: RedisBackend, other: RedisLog, redis_server: RedisServer
) -> None:
    await write(backend.log.writer(STAMP, 1), 5, done=True)
    async with Redis.from_url(redis_server.url) as client:
        await client.xdel(f"claw:run:{RUN}", "1-1", "1-4")
    with pytest.raises(HistoryLost):
        await other.read(RUN)
    assert seqs(await other.read(RUN, after=1)) == [2, 3]
    with pytest.raises(HistoryLost):
        await watch(other, after=1)


async def test_without_redis_reads_fail_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.log.redis.log, "READ_PATIENCE", 0.1)
    log = RedisLog(f"redis://127.0.0.1:{free_port()}/0", retention=RETENTION)
    for ask in (log.read(RUN), log.last(RUN), log.erase(RUN)):
        with pytest.raises(StorageFailed):
            await ask
    await log.aclose()


async def test_aclose_leaves_nothing_behind(redis_server: RedisServer) -> None:
    tasks, descriptors = asyncio.all_tasks(), len(os.listdir("/dev/fd"))
    log = RedisLog(redis_server.url, retention=RETENTION)
    writer = log.writer(Stamp("run_2", "c", "m"), 1)
    await write(writer, 3)
    other = RedisLog(redis_server.url, retention=RETENTION)
    async with aclosing(other.follow("run_2")) as batches:
        await anext(batches)
    await log.aclose()
    await other.aclose()
    with pytest.raises(LogError):
        writer.append(token(3))
    assert asyncio.all_tasks() == tasks
    assert len(os.listdir("/dev/fd")) == descriptors
