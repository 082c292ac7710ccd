"""Redis: it answers, throws nothing away, and finds its data again after a restart."""

import time
from collections.abc import Iterator

from redis import Redis
from redis.exceptions import RedisError

from clawsite.doctor.finding import MAX_SKEW, Finding, problem, skewed, well

TIMEOUT = 3.0  # seconds


def check_redis(url: str) -> Iterator[Finding]:
    """Findings about `REDIS_URL`."""
    try:
        with Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT) as redis:
            # INFO, and not CONFIG: hosted ones forbid that.
            info = redis.info()
            seconds, microseconds = redis.time()
    except (RedisError, OSError, ValueError) as error:
        yield problem("redis", f"It does not answer: {error}", "Start it, or correct REDIS_URL.")
        return
    yield from _judge(info)
    skew = seconds + microseconds / 1e6 - time.time()
    if abs(skew) > MAX_SKEW:
        yield skewed("redis", "Redis", skew)


def _judge(info: dict[str, str | int]) -> Iterator[Finding]:
    policy, version = info.get("maxmemory_policy"), info["redis_version"]
    if policy != "noeviction":
        yield problem(
            "redis",
            f"maxmemory-policy is {policy}: runs would be thrown away while they are watched.",
            "Set `maxmemory-policy noeviction` (`CONFIG SET` until the next restart).",
        )
    if not info.get("aof_enabled"):
        yield problem(
            "redis",
            "appendonly is off: a restart of Redis loses the answers under way.",
            "Set `appendonly yes` and `appendfsync everysec`.",
        )
    if policy == "noeviction" and info.get("aof_enabled"):
        yield well("redis", f"{version} answers, evicts nothing and keeps an append-only file.")
