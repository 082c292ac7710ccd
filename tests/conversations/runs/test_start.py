"""`conversations.runs.start`: a message that was accepted can be followed, whoever is faster."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from conversations.execution.opening import stamp, started_event
from conversations.runs.positions import check_kept, check_position
from conversations.runs.start import _begin_log
from core.database import database_step
from engine.log.redis.log import RedisLog
from tests.conversations.parts import ask
from tests.redis_server import RedisServer

pytestmark = pytest.mark.redis


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server of this test."""
    redis = RedisServer(tmp_path / "redis")
    redis.start()
    yield redis
    redis.stop()


@pytest.fixture
async def web(redis: RedisServer) -> AsyncIterator[RedisLog]:
    """The log of a process that serves."""
    log = RedisLog(redis.url, retention=600)
    yield log
    await log.aclose()


@pytest.fixture
async def worker(redis: RedisServer) -> AsyncIterator[RedisLog]:
    """The log of a worker, in the same Redis."""
    log = RedisLog(redis.url, retention=600)
    yield log
    await log.aclose()


async def test_it_works(caller, web: RedisLog, worker: RedisLog) -> None:
    """A worker that claims a run before its first event is written has to write it, however slow
    it is: meanwhile it can be followed, and nobody is told that something went wrong."""
    accepted = await database_step(ask, caller)
    run = accepted.run
    slow = worker.writer(stamp(run), 1)
    await slow.flush()

    await _begin_log(web, accepted)
    await check_kept(web, run)
    assert not await check_position(web, run, 0)
    async with aclosing(web.follow(run.pk)) as batches:
        first = asyncio.ensure_future(anext(batches))
        await asyncio.wait([first], timeout=0.3)
        assert not first.done()
        slow.append(started_event(run))
        await slow.flush()
        assert [entry.type for entry in await asyncio.wait_for(first, 5)] == ["run_started"]


async def test_who_follows_a_worker_that_dies_is_answered_by_the_next(
    caller, web: RedisLog, worker: RedisLog
) -> None:
    accepted = await database_step(ask, caller)
    dead = worker.writer(stamp(accepted.run), 1)
    await dead.flush()
    await _begin_log(web, accepted)
    async with aclosing(web.follow(accepted.run.pk)) as batches:
        first = asyncio.ensure_future(anext(batches))
        await asyncio.wait([first], timeout=0.1)
        another = worker.writer(stamp(accepted.run), 2)
        await another.flush()
        another.append(started_event(accepted.run))
        await another.flush()
        assert [entry.seq for entry in await asyncio.wait_for(first, 5)] == [1]
