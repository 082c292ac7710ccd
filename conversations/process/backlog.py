"""The unfinished work of all processes together, and whether a process lives to do it."""

from dataclasses import dataclass

from django.conf import settings

from conversations import access
from conversations.models import RunStatus


@dataclass(frozen=True)
class Backlog:
    """`runs`: how many have not ended, by status. `workers`: processes that carry them out; a
    process that serves alone is its own."""

    runs: dict[str, int]
    workers: int

    @property
    def problem(self) -> str | None:
        """The problem that keeps the runs from being carried out, if there is one."""
        ready = sum(number for status, number in self.runs.items() if status != RunStatus.WAITING)
        if self.workers or not ready:
            return None
        return f"{ready} runs wait and no worker lives"


def look() -> Backlog:
    """Ask the database. Synchronous."""
    return Backlog(access.count_unfinished(), _workers())


def _workers() -> int:
    if not settings.CLAW_SCALED_OUT:
        return 1
    # The queue is imported only where it is used.
    from conversations.execution.queue.database import count_living

    return count_living(settings.CLAW_RUN_LEASE)
