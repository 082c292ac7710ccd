"""The log in memory: for tests and try-outs. It forgets with the process, and when it is full."""

import time
from collections.abc import Callable

from engine.log.base import HistoryLost, LogError, StorageFailed
from engine.log.local import LocalLog, Run


class MemoryRun(Run):
    """A run whose tail is all there is; what it holds counts against the log's total."""

    __slots__ = ("_log",)

    def __init__(self, run_id: str, limit: int, log: "MemoryLog") -> None:
        super().__init__(run_id, limit)
        self._log = log

    def store(self, lines: list[bytes]) -> None:
        before = self.tail_size
        super().store(lines)
        self._log.used += self.tail_size - before
        if self._log.used > self._log.total_bytes:
            self._log.make_room(self)

    def older(self, after: int) -> list[bytes]:
        raise HistoryLost(f"{self.run_id}: {after} is no longer kept")


class MemoryLog(LocalLog[MemoryRun]):
    """`Log` in memory: at most `max_bytes` of each run and `total_bytes` of all (event bytes).

    Beyond that the oldest events go (`HistoryLost`), or whole finished runs (`UnknownRun`)."""

    def __init__(
        self,
        *,
        retention: float = 600,
        max_bytes: int = 4 * 1024 * 1024,
        total_bytes: int = 256 * 1024 * 1024,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(retention, clock)
        self.max_bytes, self.total_bytes = max_bytes, total_bytes
        self.used = 0  # bytes of events held
        self._runs: dict[str, MemoryRun] = {}

    def make_room(self, writing: Run) -> None:
        """Drop finished runs, oldest first; if that is not enough, half of what is written now."""
        while self._ended and self.used > self.total_bytes:
            self._forget(self._ended.popleft()[1])
        if self.used > self.total_bytes:
            before = writing.tail_size
            writing.trim(before // 2)
            self.used += writing.tail_size - before

    async def aclose(self) -> None:
        """Stop the writers; readers that wait for more are told that it broke off."""
        for run in self._runs.values():
            run.stop_writer(LogError)
            run.fail(StorageFailed)

    def _find(self, run_id: str) -> MemoryRun | None:
        return self._runs.get(run_id)

    def _new(self, run_id: str) -> MemoryRun:
        return MemoryRun(run_id, self.max_bytes, self)

    def _begin(self, run: MemoryRun, owner: str) -> None:
        self._runs[run.run_id] = run

    def _drop(self, run_id: str) -> MemoryRun | None:
        run = self._runs.pop(run_id, None)
        if run is not None:
            self.used -= run.tail_size
        return run
