"""Scaled out: accepted runs become jobs in PostgreSQL, and any process with a worker takes them.

A job says only "execute run X". It commits with the run's row, so neither exists without the
other. A dead worker's job is given to another one (`docs/decisions/0007-jobs-in-postgresql.md`).
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Any

from procrastinate.exceptions import ConnectorException

from conversations import access
from conversations.execution.dispatch.executor import Executor
from conversations.execution.dispatch.handle import RunHandle, error_of, stop_of
from conversations.execution.queue import jobs
from conversations.execution.runner import Runner
from conversations.execution.waiting import wake_to_stop
from conversations.models import Run, RunStatus
from conversations.signals.channel import Signals
from core.database import database_step
from core.tasks.background import Background
from engine.errors import ClawError, Unavailable
from engine.log.base import Fenced
from engine.transcript import Transcript

log = logging.getLogger(__name__)

EXECUTORS = "executors"  # the group of processes that execute runs
LOOK_SECONDS = 1.0  # a stop whose signal was lost is found in the run's row


def enqueue(runs: Sequence[Run]) -> None:
    """Make a job for each of `runs`, in the present transaction. Synchronous. Raises the
    database's errors as Django's."""
    if not runs:
        return
    try:
        jobs.execute_run.batch_defer(*({"run_id": run.pk} for run in runs))
    except ConnectorException as error:
        raise error.__cause__ or error from None


class QueueDispatcher(Executor):
    """Hands runs to the queue; `worker.py` takes them from there."""

    def __init__(self, runner: Runner, signals: Signals) -> None:
        super().__init__(runner)
        self._signals = signals
        self._background = Background()
        signals.handle("stop", self._told)

    async def start(self) -> None:
        """Listen for stops."""
        await self._signals.join(EXECUTORS)
        self._background.start(self._look())

    async def stop(self) -> None:
        """End what `start` began."""
        await self._background.stop()

    def enqueue(self, runs: Sequence[Run]) -> None:
        """See `Dispatcher.enqueue`."""
        enqueue(runs)

    def submit(self, run: Run, transcript: Transcript | None = None) -> None:
        """Do nothing: the job is already there."""

    def room(self, organization_id: str) -> bool:
        """The queue has room; each worker has its own limit."""
        return not self.draining

    async def cancel(self, run: Run, error: ClawError | None = None) -> None:
        """See `Dispatcher.cancel`. The row says it first: a signal can be lost."""
        if run.status == RunStatus.QUEUED:
            try:
                await self._runner.withdraw(run, error)
            except Fenced:
                pass  # it was claimed in the meantime
            else:
                return
        if self.stop_here(run.pk, error):
            return
        stop = stop_of(error)
        await database_step(wake_to_stop, run.pk, stop, enqueue)
        await self._signals.send(EXECUTORS, "stop", run=run.pk, error=stop)

    async def perform(self, run: Run, transcript: Transcript | None) -> None:
        """Execute a run within the present task: a worker's job. Raises what `execute` does, so
        that the job is tried again, unless another worker has the run by now."""
        if self.busy(run.pk):
            return
        handle = RunHandle(run)
        self.hold(handle)
        handle.task = asyncio.current_task()
        with contextlib.suppress(Fenced):
            await self.execute(handle, transcript)

    def _told(self, message: dict[str, Any]) -> None:
        self.stop_here(message["run"], error_of(message["error"]))

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not self._handles:
                continue
            try:
                stops = await database_step(access.requested_stops, list(self._handles))
            except Unavailable:
                continue  # said by the database step; the next look is soon
            for run_id, stop in stops.items():
                self.stop_here(run_id, error_of(stop))

    def _let_go(self, handle: RunHandle) -> None:
        """Another worker continues it: a shutdown is not a user's stop."""
        handle.release()
