"""Limits of a single process."""

import time
from collections import OrderedDict, deque

from conversations.limits.base import MINUTE, Window

MAX_WINDOWS = 50_000


class SlidingWindow:
    """The events of the last minute, or of so many seconds."""

    def __init__(self, seconds: float = MINUTE) -> None:
        self._seconds = seconds
        self._times: deque[float] = deque()

    def wait(self, limit: int) -> int:
        """0 if one more event of at most `limit` is allowed, else the milliseconds until one is."""
        now = time.monotonic()
        while self._times and self._times[0] <= now - self._seconds:
            self._times.popleft()
        if len(self._times) < limit:
            return 0
        return max(1, round((self._times[0] + self._seconds - now) * 1000))

    def count(self) -> None:
        """One event has happened."""
        self._times.append(time.monotonic())


class MemoryLimits:
    """One process serves everything, so its own counts are exact."""

    def __init__(self) -> None:
        self._slots: dict[str, int] = {}
        self._windows: OrderedDict[str, SlidingWindow] = OrderedDict()

    async def acquire(self, name: str, limit: int) -> bool:
        """See `Limits.acquire`."""
        held = self._slots.get(name, 0)
        if held >= limit:
            return False
        self._slots[name] = held + 1
        return True

    async def release(self, name: str) -> None:
        """See `Limits.release`."""
        held = self._slots.pop(name)
        if held > 1:
            self._slots[name] = held - 1

    async def admit(self, *windows: Window) -> int:
        """See `Limits.admit`. Of very many names the one longest unused is forgotten."""
        counted = [(self._window(window), window.limit) for window in windows]
        wait = max(times.wait(limit) for times, limit in counted)
        if not wait:
            for times, _ in counted:
                times.count()
        return wait

    def _window(self, window: Window) -> SlidingWindow:
        times = self._windows.pop(window.name, None) or SlidingWindow(window.seconds)
        self._windows[window.name] = times
        if len(self._windows) > MAX_WINDOWS:
            self._windows.popitem(last=False)
        return times
