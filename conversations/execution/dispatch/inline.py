"""The dispatcher of a single process."""

import asyncio
import contextvars
from collections.abc import Sequence

from conversations.execution.claim import ClaimedRun
from conversations.execution.dispatch.executor import Executor
from conversations.execution.dispatch.handle import RunHandle, stop_of
from conversations.execution.recording.outcome import interrupted
from conversations.execution.runner import Runner
from conversations.execution.waiting import wake_to_stop
from conversations.models import Run, RunStatus
from core.database import database_step
from engine.errors import ClawError
from engine.log.base import Fenced
from engine.transcript import Transcript


class InlineDispatcher(Executor):
    """Executes all runs in tasks of this process."""

    def __init__(self, runner: Runner) -> None:
        super().__init__(runner)
        self._claimed: dict[str, tuple[ClaimedRun, RunHandle]] = {}

    def claimed(self, claimed: ClaimedRun) -> None:
        """Take note of a run that was claimed as it was stored. It may be cancelled from now on.
        Its request submits it, or recovery finds it."""
        self._claimed[claimed.run.pk] = claimed, RunHandle(claimed.run)

    def enqueue(self, runs: Sequence[Run]) -> None:
        """Do nothing: recovery finds a run that was not submitted."""

    def submit(self, run: Run, transcript: Transcript | None = None) -> None:
        """See `Dispatcher.submit`."""
        if self.draining or self.wake_here(run):
            return
        claimed, handle = self._claimed.pop(run.pk, (None, RunHandle(run)))
        self._start(handle, transcript, claimed)

    def _start(
        self, handle: RunHandle, transcript: Transcript | None, claimed: ClaimedRun | None
    ) -> None:
        self.hold(handle)
        # A fresh context: a task made inside a request would inherit the request's database
        # thread and connection for as long as the run lasts.
        handle.task = asyncio.create_task(
            self._execute(handle, transcript, claimed), context=contextvars.Context()
        )

    async def cancel(self, run: Run, error: ClawError | None = None) -> None:
        """See `Dispatcher.cancel`."""
        if run.status == RunStatus.QUEUED:
            try:
                following = await self._runner.withdraw(run, error)
            except Fenced:
                pass  # it was claimed in the meantime
            else:
                for one in following:
                    self.submit(one)
                return
        if self.stop_here(run.pk, error):
            return
        if run.pk in self._claimed:
            # Its request has not submitted it, and never does if its client has left.
            claimed, handle = self._claimed.pop(run.pk)
            handle.stop(error)
            self._start(handle, None, claimed)
            return
        woken = await database_step(wake_to_stop, run.pk, stop_of(error), self.enqueue)
        if woken is not None:
            self.submit(woken)
        else:  # it may have come here in the meantime
            self.stop_here(run.pk, error)

    async def _execute(
        self, handle: RunHandle, transcript: Transcript | None, claimed: ClaimedRun | None
    ) -> None:
        try:
            following = await self.execute(handle, transcript, claimed)
        except Exception:  # noqa: BLE001 - it has been logged; the next sweep recovers the run
            return
        for one in following:
            self.submit(one)

    def _let_go(self, handle: RunHandle) -> None:
        """End it as interrupted, with what it has: no other process can continue it."""
        handle.stop(interrupted())
