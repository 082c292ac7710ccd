"""The cache in which logins and mails are counted for all processes together, in Redis.

While Redis is away each process counts alone: pages go on, and nobody is let in without a count."""

from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError


def _either(name: str) -> Callable[..., Any]:
    """This method of Redis or, while that is away, of this process."""

    def call(self: "SharedCache", *args: Any, **options: Any) -> Any:
        try:
            return getattr(RedisCache, name)(self, *args, **options)
        except (RedisError, OSError):
            return getattr(self.alone, name)(*args, **options)

    return call


class SharedCache(RedisCache):
    """A cache in Redis; in this process' memory while Redis is away."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self.alone = LocMemCache("alone", {**params, "OPTIONS": {"MAX_ENTRIES": 10_000}})

    add, get, set, delete = map(_either, ("add", "get", "set", "delete"))
    touch, incr, has_key = map(_either, ("touch", "incr", "has_key"))
