"""Says the end of runs whose process died before it could."""

import logging
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from conversations import access
from conversations.feed.base import Store
from conversations.feed.runs import RunFeed
from conversations.models import RunStatus
from core.database import database_step
from core.tasks.background import Background, repeat

log = logging.getLogger(__name__)

SETTLED = timedelta(seconds=5)  # after which the process that ended a run has said so, if it lives
GROUP = 100  # runs in one database step

REASONS: dict[str, str] = {
    RunStatus.COMPLETED: "complete",
    RunStatus.CANCELLED: "cancelled",
    RunStatus.FAILED: "error",
    RunStatus.INTERRUPTED: "interrupted",
}
"""The `reason` of the runs' `done`, as far as the row tells it."""


class Closing:
    """Compares runs that are open in the feed with their rows, every `CLAW_RUN_LEASE` seconds."""

    def __init__(self, store: Store, runs: RunFeed) -> None:
        self._store, self._runs = store, runs
        self._background = Background()

    def start(self) -> None:
        """Begin to compare, the first time at once."""
        later = "ends of runs are told later"
        self._background.start(repeat(self.sweep, settings.CLAW_RUN_LEASE, log, later))

    async def stop(self) -> None:
        """End what `start` began."""
        await self._background.stop()

    async def sweep(self) -> None:
        """Close every run in the feed that has ended. Raises `Unavailable`."""
        left = await self._store.unclosed()
        for start in range(0, len(left), GROUP):
            some, settled = left[start : start + GROUP], timezone.now() - SETTLED
            for run in await database_step(access.ended_before, settled, some):
                self._runs.close(run, REASONS[run.status])
