"""A run is told what is published, over any number of connections."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from engine.log.base import UnknownRun
from engine.log.redis import subscriber as redis_subscriber
from engine.log.redis.client import open_client
from engine.log.redis.run import RedisRun
from engine.log.redis.subscriber import Subscriber
from tests.engine.log.contract import RUN, STAMP, seqs, token
from tests.redis_server import RedisServer

pytestmark = pytest.mark.redis
CHANNEL = f"claw:run:{RUN}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def subscriber(server: RedisServer) -> AsyncIterator[Subscriber]:
    client = open_client(server.url, connections=1)
    subscriber = Subscriber(client.connection_pool)
    yield subscriber
    await subscriber.aclose()
    await client.aclose()


async def publish(server: RedisServer, first: int, *, attempt: int = 1) -> None:
    async with Redis.from_url(server.url) as client:
        line = STAMP.seal(token(first), first)
        await client.publish(CHANNEL, b"%d-%d\n%b" % (attempt, first, line))


async def watched(subscriber: Subscriber) -> RedisRun:
    """A run that is subscribed, and empty in Redis."""
    run = RedisRun(RUN)
    run.followers = 1
    await subscriber.watch(run)
    run.learn(1, 0, False)
    return run


async def heard(run: RedisRun, last: int) -> None:
    async with asyncio.timeout(5):
        while run.seq < last:
            await run.news()


async def until_subscribed(run: RedisRun, subscribed: bool) -> None:
    async with asyncio.timeout(5):
        while run.subscribed is not subscribed:
            await run.news()


async def test_it_works(subscriber: Subscriber, server: RedisServer) -> None:
    run = await watched(subscriber)
    await publish(server, 1)
    await publish(server, 2)
    await heard(run, 2)
    assert seqs(run.read(0)) == [1, 2]


async def test_an_erased_run_is_told_so(subscriber: Subscriber, server: RedisServer) -> None:
    run = await watched(subscriber)
    server.ask(f'PUBLISH {CHANNEL} ""')
    async with asyncio.timeout(5):
        while not run.failed:
            await run.news()
    assert run.failed is UnknownRun


async def test_a_lost_connection_is_made_again(subscriber: Subscriber, server: RedisServer) -> None:
    run = await watched(subscriber)
    server.kill()
    await until_subscribed(run, False)
    assert not run.holds(0)
    waiting = asyncio.create_task(subscriber.watch(run))
    await asyncio.to_thread(server.start)
    async with asyncio.timeout(5):
        await waiting
    await publish(server, 1)
    await heard(run, 1)


async def test_a_silent_connection_is_cut(
    subscriber: Subscriber, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_subscriber, "TICK", 0.02)
    monkeypatch.setattr(redis_subscriber, "SILENCE", 0.1)
    run = await watched(subscriber)
    server.stall()
    try:
        await until_subscribed(run, False)
    finally:
        server.wake()
    await until_subscribed(run, True)


async def test_a_run_that_nobody_follows_is_let_go(
    subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_subscriber, "TICK", 0.02)
    run = await watched(subscriber)
    subscriber.leave(run)
    await asyncio.sleep(0.05)
    assert run.subscribed  # somebody has come back meanwhile
    run.followers = 0
    subscriber.leave(run)
    await until_subscribed(run, False)
    assert not subscriber.runs
    run.followers = 1
    await subscriber.watch(run)
    assert run.subscribed


async def test_a_run_that_was_never_watched_may_be_left(subscriber: Subscriber) -> None:
    subscriber.leave(RedisRun("run_2"))
    assert (await watched(subscriber)).subscribed
