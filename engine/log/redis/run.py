"""A run in Redis as one process knows it: its newest lines, and its waiting followers."""

from engine.events import LAST, type_of
from engine.log.base import HistoryLost
from engine.log.local import Window

WRITTEN_BYTES = 256 * 1024
"""Kept of a run that is written here, at least half: when Redis comes back behind what it had
acknowledged (it may lose two seconds with `appendfsync everysec`), the rest is sent again."""

WATCHED_BYTES = 64 * 1024
"""Kept of a run that is only watched here: its followers are rarely further behind."""


class RedisRun(Window):
    """A window on a run: it serves followers while it is told how the run goes on, by the writer
    or by a subscription; else they ask Redis."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id, WATCHED_BYTES)
        self.writing = False  # the writer in this process tells everything
        self.subscribed = False
        self.synced = False  # subscribed, and what is known here is the end of the run
        self.followers = 0
        self.wakes = 0  # times that followers were told to look again

    def wake(self) -> None:
        self.wakes += 1
        super().wake()

    def holds(self, after: int) -> bool:
        """Whether the run goes on here from `after`."""
        told = self.writing or self.synced
        return told and self.seq - len(self.tail) <= after <= self.seq

    def lines_after(self, seq: int) -> list[bytes] | None:
        """All lines after `seq`, or None if some are not kept here."""
        start = seq - (self.seq - len(self.tail))
        return self.tail[start:] if start >= 0 else None

    def take(self, attempt: int, first: int, lines: list[bytes]) -> None:
        """Lines that Redis holds as `first` and following: the writer says so, or Redis.

        Entries that are known already are dropped. After a gap the window begins anew: followers
        find in Redis what is missing. A later attempt that writes over what was seen is lost
        history."""
        if first <= self.seq:
            if attempt > self.attempt:
                self.fail(HistoryLost)
            lines = lines[self.seq - first + 1 :]
        elif first > self.seq + 1:
            self._restart(first - 1)
        self.attempt = max(self.attempt, attempt)
        if lines:
            self.keep(lines)
            self.finished = type_of(lines[-1]) == LAST
            self.synced = self.subscribed
        self.wake()

    def learn(self, attempt: int, last: int, finished: bool) -> None:
        """Redis says that the run ends at `last`; what is known here may be newer."""
        self.attempt = max(self.attempt, attempt)
        if self.writing or self.synced or last < self.seq:
            return
        if last > self.seq:
            self._restart(last)
        self.finished, self.synced = finished, self.subscribed

    def feed(self, last: int) -> None:
        """The writer in this process holds the run, which ends at `last`."""
        if last != self.seq:
            self._restart(last)
        self.limit, self.writing = WRITTEN_BYTES, True
        self.wake()

    def subscribe(self, subscribed: bool) -> None:
        """A subscription began or was lost: followers look into Redis again."""
        self.subscribed, self.synced = subscribed, False
        self.wake()

    def starve(self) -> None:
        """The writer in this process tells nothing more; another may go on elsewhere."""
        self.writing = False
        self.wake()

    def _restart(self, seq: int) -> None:
        self.seq, self.tail, self.tail_size = seq, [], 0
