"""The order of steps of database work."""

from collections import OrderedDict, deque
from collections.abc import Callable
from threading import Lock
from typing import TypeAlias

Work: TypeAlias = Callable[[], None]


class Turns:
    """Steps of many owners, in turns: the first of each before the second of any, so that a flood
    of one owner delays only that owner. Every second turn is for steps without an owner: batches
    of many callers, and the process itself. Safe between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._common: deque[Work] = deque()
        self._owned: OrderedDict[str, deque[Work]] = OrderedDict()
        self._common_was_last = False

    def add(self, owner: str, work: Work) -> None:
        """Let `work` wait for its turn; an owner `""` is none."""
        with self._lock:
            (self._owned.setdefault(owner, deque()) if owner else self._common).append(work)

    def do_next(self) -> None:
        """Do the work whose turn it is. Call this once for each `add`."""
        with self._lock:
            work = self._take()
        work()

    def _take(self) -> Work:
        if self._common and not (self._common_was_last and self._owned):
            self._common_was_last = True
            return self._common.popleft()
        self._common_was_last = False
        owner, waiting = self._owned.popitem(last=False)
        work = waiting.popleft()
        if waiting:
            self._owned[owner] = waiting  # behind the others
        return work
