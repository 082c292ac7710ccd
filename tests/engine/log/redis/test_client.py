"""Who asks Redis is told when it is gone, and does not press it."""

import time
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError

from engine.log.base import StorageFailed
from engine.log.redis.client import ask, open_client, pause
from tests.redis_server import RedisServer

pytestmark = pytest.mark.redis


async def test_it_works(redis_server: RedisServer) -> None:
    async with open_client(redis_server.url, connections=1) as client:
        script = client.register_script("return {KEYS[1], ARGV[1]}")
        assert await ask(script, b"key", 7, patience=5) == [b"key", b"7"]


async def test_it_asks_until_redis_is_there(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    async with open_client(server.url, connections=1) as client:
        with pytest.raises(ConnectionError):
            await client.ping()
        script = client.register_script("return 1")
        began = time.monotonic()
        with pytest.raises(StorageFailed):
            await ask(script, b"key", patience=0.2)
        assert time.monotonic() - began < 2
        server.start()
        assert await ask(script, b"key", patience=5) == 1
        server.kill()
        server.start()  # without the script, and the connection is dead
        assert await ask(script, b"key", patience=5) == 1
    server.stop()


def test_pauses_grow_to_half_a_second() -> None:
    assert pause(1) < 0.05
    assert 0.25 <= pause(10) <= 0.5
    assert pause(100_000) <= 0.5
