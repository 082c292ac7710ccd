"""All runs share a round trip; the first token waits for none."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from engine.events import Stamp
from engine.log.local import BATCH
from engine.log.redis import sender as redis_sender
from engine.log.redis.client import open_client
from engine.log.redis.run import RedisRun
from engine.log.redis.sender import EARLY, QUIET, Sender
from engine.log.redis.writer import RedisWriter
from tests.engine.log.contract import DONE, token
from tests.redis_server import RedisServer

pytestmark = pytest.mark.redis


@pytest.fixture
async def client(redis_server: RedisServer) -> AsyncIterator[Redis]:
    redis_server.ask("FLUSHALL")
    async with open_client(redis_server.url, connections=1) as client:
        yield client


@pytest.fixture
async def sender(client: Redis) -> AsyncIterator[Sender]:
    sender = Sender(client, 600)
    yield sender
    await sender.aclose()


async def taken(sender: Sender, run_id: str) -> RedisWriter:
    writer = RedisWriter(sender, RedisRun(run_id), Stamp(run_id, "c", "m"), 1)
    sender.hold(writer)
    await writer.flush()
    return writer


async def test_it_works(sender: Sender, client: Redis) -> None:
    writer = await taken(sender, "run_1")
    writer.append(token(0))
    await writer.flush()
    assert await client.xlen("claw:run:run_1") == 2


async def test_one_round_carries_all_runs(sender: Sender, redis_server: RedisServer) -> None:
    writers = [await taken(sender, f"run_{n}") for n in range(50)]
    redis_server.ask("CONFIG RESETSTAT")
    for writer in writers:
        writer.append(token(0))
    await asyncio.gather(*(writer.flush() for writer in writers))
    async with Redis.from_url(redis_server.url) as client:
        stats = await client.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] <= 3  # 1, unless the machine is busy
    assert stats["cmdstat_xadd"]["calls"] == 50


async def test_rounds_are_paced_under_load_but_not_after_silence(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, quiet = await taken(sender, "run_1"), await taken(sender, "run_2")
    monkeypatch.setattr(redis_sender, "PACE", 30)
    async with asyncio.timeout(5):  # nobody waits for the first token of an answer
        for writer in (busy, quiet):
            while writer.turns < EARLY:
                writer.append(token(writer.turns))
                await writer.flush()
    quiet.marked_at -= QUIET
    async with asyncio.timeout(5):
        busy.append(token(0))
        paced = asyncio.create_task(busy.flush())
        await asyncio.sleep(0.02)
        assert not paced.done()
        quiet.append(token(0))  # its first for a while: it takes all that waits along
        await quiet.flush()
        await paced


async def test_a_broken_run_does_not_keep_the_others_from_redis(
    sender: Sender, client: Redis
) -> None:
    broken, fine = await taken(sender, "run_1"), await taken(sender, "run_2")
    await client.set("claw:run:run_1", "not a stream")
    broken.append(token(0))
    fine.append(token(0))
    await fine.flush()
    await client.delete("claw:run:run_1")
    await broken.flush()  # it was tried again


async def test_a_finished_run_is_let_go(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_sender, "LINGER", 0.01)
    monkeypatch.setattr(redis_sender, "CHECK", 0.01)
    writer = await taken(sender, "run_1")
    writer.append(DONE)
    await writer.flush()
    async with asyncio.timeout(5):
        while sender.held:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_run_that_ends_while_redis_is_away_is_kept_until_it_is_stored(
    sender: Sender, client: Redis, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P21: however long that takes; then nobody here knows more of it than Redis."""
    monkeypatch.setattr(redis_sender, "LINGER", 0.01)
    monkeypatch.setattr(redis_sender, "CHECK", 0.01)
    writer = await taken(sender, "run_1")
    redis_server.kill()
    writer.append(DONE)
    await asyncio.sleep(0.2)  # the outage's length
    assert sender.held
    await asyncio.to_thread(redis_server.start)
    async with asyncio.timeout(10):
        await writer.flush()
        while sender.held:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert not writer.run.writing
    assert await client.xlen("claw:run:run_1") == 2


async def test_a_large_backlog_goes_in_many_rounds(
    sender: Sender, client: Redis, redis_server: RedisServer
) -> None:
    writers = [await taken(sender, f"run_{n}") for n in range(5)]
    redis_server.ask("CONFIG RESETSTAT")
    for n in range(100):
        for writer in writers:
            writer.append(token(n, 10_000))
    await asyncio.gather(*(writer.flush() for writer in writers))
    async with Redis.from_url(redis_server.url) as other:
        stats = await other.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] >= 100 * 10_000 // BATCH
    assert [await client.xlen(f"claw:run:run_{n}") for n in range(5)] == [101] * 5
