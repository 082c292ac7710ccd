"""A small cache in memory: bounded in size and time, safe between threads."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from functools import cache
from threading import Lock
from typing import Generic, ParamSpec, TypeVar, cast

P = ParamSpec("P")
V = TypeVar("V")


class ExpiringCache(Generic[V]):
    """Values by key for `seconds`; beyond `size` the least recently used goes first."""

    def __init__(
        self, *, size: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.size, self.seconds, self.clock = size, seconds, clock
        self._entries: OrderedDict[Hashable, tuple[float, V]] = OrderedDict()
        self.removals = 0
        """Calls of `remove`: who loads a value sees by it whether it may be outdated."""
        # The event loop reads; revoking happens in the database thread.
        self._lock = Lock()

    def get(self, key: Hashable) -> V | None:
        """The value, unless it is unknown or too old."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry[0] <= self.clock():
                return None
            self._entries.move_to_end(key)
            return entry[1]

    def put(self, key: Hashable, value: V) -> None:
        """Keep `value` from now on."""
        with self._lock:
            self._entries[key] = (self.clock() + self.seconds, value)
            self._entries.move_to_end(key)
            if len(self._entries) > self.size:
                self._entries.popitem(last=False)

    async def fetch(self, key: Hashable, load: Callable[[], Awaitable[V | None]]) -> V | None:
        """The value, else what `load` finds, which is kept if it is not None.

        Not where something has been removed in the meantime: it may be from before that change."""
        value, removals = self.get(key), self.removals
        if value is None:
            value = await load()
            if value is not None and removals == self.removals:
                self.put(key, value)
        return value

    def values(self) -> list[V]:
        """All values that are not too old."""
        with self._lock:
            now = self.clock()
            return [value for until, value in self._entries.values() if until > now]

    def remove(self, matches: Callable[[V], bool]) -> None:
        """Drop every value that matches."""
        with self._lock:
            self.removals += 1
            for key in [key for key, (_, value) in self._entries.items() if matches(value)]:
                del self._entries[key]


def cached(function: Callable[P, V]) -> Callable[P, V]:
    """`functools.cache`, with the function's own types: it would take no class of a model for
    something hashable."""
    return cast(Callable[P, V], cache(function))
