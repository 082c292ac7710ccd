"""`conversations.limits.redis`: exact counts of all processes, on a real Redis."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from conversations.limits import redis as module
from conversations.limits.base import Window
from conversations.limits.redis import RedisLimits
from engine.errors import Unavailable
from tests.conversations.limits.contract import *  # noqa: F403 - the suite
from tests.redis_server import RedisServer

pytestmark = pytest.mark.redis


@contextlib.contextmanager
def running(folder: Path) -> Iterator[RedisServer]:
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def stalled(server: RedisServer) -> Iterator[None]:
    server.stall()
    try:
        yield
    finally:
        server.wake()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running(tmp_path_factory.mktemp("redis")) as server:
        yield server


@contextlib.asynccontextmanager
async def process(server: RedisServer) -> AsyncIterator[RedisLimits]:
    """The limits as one process has them."""
    limits = RedisLimits(server.url)
    await limits.start()
    try:
        yield limits
    finally:
        await limits.stop()


@pytest.fixture
async def limits(server: RedisServer) -> AsyncIterator[RedisLimits]:
    server.ask("FLUSHALL")
    async with process(server) as limits:
        yield limits


async def test_p17_slots_are_exact_across_processes(server, limits):
    async with process(server) as other:
        taken = await asyncio.gather(*(each.acquire("a", 100) for each in [limits, other] * 65))
        assert sum(taken) == 100


async def test_p17_messages_are_exact_across_processes(server, limits):
    async with process(server) as other:
        waits = await asyncio.gather(
            *(each.admit(Window("a", 30)) for each in [limits, other] * 20)
        )
        assert waits.count(0) == 30


async def test_the_slots_of_a_process_that_left_are_free(server, limits):
    async with process(server) as other:
        assert await other.acquire("a", 1)
        assert not await limits.acquire("a", 1)
    assert await limits.acquire("a", 1)


async def test_the_slots_of_a_process_that_died_are_free_after_its_lease(
    server, limits, monkeypatch
):
    monkeypatch.setattr(module, "LEASE_SECONDS", 0.05)
    monkeypatch.setattr(module, "BEAT_SECONDS", 60.0)  # it is as good as dead
    async with process(server) as dead:
        assert await dead.acquire("a", 1)
        async with asyncio.timeout(5):
            while not await limits.acquire("a", 1):
                pass


async def test_what_redis_has_lost_is_said_again(server, limits, monkeypatch):
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.01)
    async with process(server) as holder:
        assert await holder.acquire("a", 1)
        server.ask("FLUSHALL")
        async with asyncio.timeout(5):
            while await limits.acquire("a", 1):  # until the next beat it cannot know
                await limits.release("a")
        assert not await limits.acquire("a", 1)


async def test_without_redis_the_doors_are_shut(tmp_path: Path):
    server = RedisServer(tmp_path)
    server.start()
    limits = RedisLimits(server.url)
    await limits.start()
    assert await limits.answers()
    assert await limits.acquire("a", 1)
    server.kill()
    assert not await limits.answers()
    with pytest.raises(Unavailable):
        await limits.acquire("a", 1)
    with pytest.raises(Unavailable):
        await limits.admit(Window("a", 1))
    await limits.stop()


async def test_p17_what_is_given_back_while_redis_is_away_is_free_when_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Also where its lease never lapsed, and where it kept what it had been told."""
    monkeypatch.setattr(module, "TIMEOUT", 1.0)
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.05)
    with running(tmp_path) as server:
        async with process(server) as limits, process(server) as other:
            assert all([await limits.acquire("a", 5) for _ in range(5)])
            with stalled(server):
                for _ in range(5):
                    await limits.release("a")
                with pytest.raises(Unavailable):
                    await limits.acquire("a", 5)
            async with asyncio.timeout(20):
                for _ in range(5):
                    while not await other.acquire("a", 5):
                        pass
            assert not await limits.acquire("a", 5)


async def test_p17_what_is_given_back_by_those_who_are_cancelled_is_free(server, limits):
    async def visit() -> None:
        assert await limits.acquire("a", 400)
        try:
            await asyncio.Event().wait()
        finally:
            await limits.release("a")

    visits = [asyncio.create_task(visit()) for _ in range(200)]
    async with asyncio.timeout(10), process(server) as other:
        while await other.acquire("a", 200):
            await other.release("a")
        for visit_ in visits:
            visit_.cancel()
        await asyncio.gather(*visits, return_exceptions=True)
        for _ in range(200):
            while not await other.acquire("a", 200):
                pass


async def test_what_is_given_up_in_the_middle_of_asking_is_not_held(server, limits):
    async with process(server) as other:
        asking = [asyncio.create_task(limits.acquire("a", 100)) for _ in range(50)]
        await asyncio.sleep(0)
        for each in asking:
            each.cancel()
        results = await asyncio.gather(*asking, return_exceptions=True)
        held = sum(result is True for result in results)
        async with asyncio.timeout(10):
            for _ in range(100 - held):
                while not await other.acquire("a", 100):
                    pass
        assert not await other.acquire("a", 100)
