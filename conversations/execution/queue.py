"""Scaled out: accepted runs become jobs in PostgreSQL, and any process with a worker takes them.

A job says only "carry out run X". It commits with the run's row, so neither exists without the
other; a dead worker's job is given to another one (`docs/decisions/0007-jobs-in-postgresql.md`).
"""

import asyncio
import contextlib
import contextvars
import logging
from collections.abc import Sequence
from typing import Any

from procrastinate.exceptions import ConnectorException

from accounts.database import database_step
from conversations import access
from conversations.execution import jobs
from conversations.execution.executor import Executor
from conversations.execution.live import Live
from conversations.execution.runner import Runner
from conversations.models import Run, RunStatus
from conversations.signals import Signals
from engine.errors import ClawError, Unavailable
from engine.log.base import Fenced
from engine.transcript import Transcript

log = logging.getLogger(__name__)

EXECUTORS = "executors"  # the group of processes that carry out runs
LOOK_SECONDS = 1.0  # a stop whose signal was lost is found in the run's row


def enqueue(runs: Sequence[Run]) -> None:
    """A job for each of `runs`, in the present transaction. Synchronous. Raises what the database
    has against it, as Django says it."""
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
        self._looking: asyncio.Task[None] | None = None
        signals.handle("stop", self._told)

    async def start(self) -> None:
        """Listen for stops."""
        await self._signals.join(EXECUTORS)
        self._looking = asyncio.create_task(self._look(), context=contextvars.Context())

    async def stop(self) -> None:
        """The end of `start`."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def enqueue(self, runs: Sequence[Run]) -> None:
        """See `Dispatcher.enqueue`."""
        enqueue(runs)

    def submit(self, run: Run, transcript: Transcript | None = None) -> None:
        """Nothing: the job is already there."""

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
        stop = error.body() if error else {}
        await database_step(access.request_stop, run, stop)
        await self._signals.send(EXECUTORS, "stop", run=run.pk, error=stop)

    async def perform(self, run: Run, transcript: Transcript | None) -> None:
        """Carry out a run within the present task: a worker's job. Raises what `carry_out` does,
        so that the job is tried again, unless another worker has the run by now."""
        if self.busy(run.pk):
            return
        live = Live(run)
        self.hold(live)
        live.task = asyncio.current_task()
        if run.stop is not None:
            live.stop(_error(run.stop))
        with contextlib.suppress(Fenced):
            await self.carry_out(live, transcript)

    def _told(self, message: dict[str, Any]) -> None:
        self.stop_here(message["run"], _error(message["error"]))

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not self._live:
                continue
            try:
                stops = await database_step(access.requested_stops, list(self._live))
            except Unavailable:
                continue  # said by the database step; the next look is soon
            for run_id, stop in stops.items():
                self.stop_here(run_id, _error(stop))

    def _let_go(self, live: Live) -> None:
        """Another worker goes on with it: a shutdown is not a user's stop."""
        live.leave()


def _error(stop: dict[str, Any]) -> ClawError | None:
    return ClawError(stop["code"], stop["message"]) if stop else None
