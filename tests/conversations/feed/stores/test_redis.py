"""`conversations.feed.stores.redis`: the feed that all processes share."""

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from accounts.models import Organization
from conversations.feed.base import Store
from conversations.feed.stores.redis import RedisStore
from tests.conversations.feed.contract import *  # noqa: F403 - the suite
from tests.conversations.feed.events import life
from tests.redis_server import RedisServer

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One that writes to disk what it confirms, and may be killed."""
    server = RedisServer(tmp_path_factory.mktemp("redis"), aof=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def open_store(server: RedisServer) -> AsyncIterator[Callable[..., Store]]:
    server.ask("FLUSHALL")
    stores: list[RedisStore] = []

    def open_(retention: float = 600) -> RedisStore:
        stores.append(RedisStore(server.url, retention=retention))
        return stores[-1]

    yield open_
    for store in stores:
        await store.aclose()


@pytest.fixture
def writing_command(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", os.environ["DJANGO_SETTINGS_MODULE"])
    program = [sys.executable, "-m", "tests.conversations.feed.writing_process"]
    return lambda *names: [*program, *names, server.url]


@pytest.fixture
def away(server: RedisServer) -> Callable[[], AsyncIterator[None]]:
    @asynccontextmanager
    async def killed() -> AsyncIterator[None]:
        server.kill()
        try:
            yield
        finally:
            server.start()

    return killed


@pytest.fixture
def count(server: RedisServer) -> Callable[[str], Awaitable[int]]:
    async def entries(organization_id: str) -> int:
        return int(server.ask(f"XLEN claw:feed:{organization_id}"))

    return entries


async def test_a_redis_that_has_lost_its_data_is_a_lost_history(
    store: Store, server: RedisServer, acme: Organization
) -> None:
    begin = await store.newest(acme.pk)
    await store.append(1, {acme.pk: life("run_1")})
    server.ask("FLUSHALL")
    await store.append(2, {acme.pk: life("run_2")})
    with pytest.raises(CursorLost):  # noqa: F405
        await store.read(acme.pk, begin, 100)


async def test_everything_expires(server: RedisServer, store: Store, acme: Organization) -> None:
    await store.newest(acme.pk)
    await store.append(1, {acme.pk: life("run_1")})
    async with Redis.from_url(server.url) as client:
        names = [name async for name in client.scan_iter()]
        assert names
        assert all([await client.pttl(name) > 0 for name in names])
