"""Talking to Redis: connections, deadlines, and how often to try again."""

import asyncio
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import EqualJitterBackoff, NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from engine.log.base import StorageFailed

ANSWER_TIME = 5.0  # seconds for one round trip, and to connect
_BACKOFF = EqualJitterBackoff(cap=0.5, base=0.02)  # seconds


def open_client(url: str, *, connections: int) -> Redis:
    """A client with its own pool; it connects when it is used, and repeats nothing by itself.

    It has no timeouts either: the caller has one. Those of redis-py end blocking reads after five
    seconds, and with Python 3.11 may swallow a cancellation while they send."""
    pool = BlockingConnectionPool.from_url(
        url,
        protocol=2,  # what is published comes as a plain reply
        max_connections=connections,
        timeout=None,
        socket_timeout=None,
        socket_connect_timeout=ANSWER_TIME,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis.from_pool(pool)


def pause(failures: int) -> float:
    """Seconds until the next attempt, after so many that failed (beyond 1000 it would overflow)."""
    return float(_BACKOFF.compute(min(failures, 10)))


async def ask(script: AsyncScript, key: bytes, *args: int, patience: float) -> Any:
    """The reply of a script that may run twice, however often it takes within `patience` seconds.

    Raises `StorageFailed` after that."""
    time, failures = asyncio.get_running_loop().time, 0
    deadline = time() + patience
    while True:
        try:
            async with asyncio.timeout_at(min(time() + ANSWER_TIME, deadline)):
                return await script(keys=[key], args=args)
        except (RedisError, TimeoutError) as error:
            failures += 1
            rest = pause(failures)
            if time() + rest >= deadline:
                raise StorageFailed(f"Redis does not answer: {error}") from error
            await asyncio.sleep(rest)
