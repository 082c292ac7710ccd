"""Who carries out accepted runs: what every dispatcher offers, and the one of a single process."""

import asyncio
import contextvars
from collections.abc import Sequence
from typing import Protocol

from conversations.execution.executor import Executor
from conversations.execution.job import Job
from conversations.execution.live import Live
from conversations.execution.outcome import interrupted
from conversations.execution.runner import Runner
from conversations.models import Run, RunStatus
from engine.errors import ClawError
from engine.log.base import Fenced
from engine.transcript import Transcript


class Dispatcher(Protocol):
    """Takes accepted runs to whoever carries them out."""

    draining: bool

    def enqueue(self, runs: Sequence[Run]) -> None:
        """Within the transaction that makes `runs` ready. Synchronous."""
        ...

    def submit(self, run: Run, transcript: Transcript | None = None) -> None:
        """After that transaction. `transcript`: what the run has written before."""
        ...

    async def cancel(self, run: Run, error: ClawError | None = None) -> None:
        """Stop a run, as cancelled or as failed with `error`: one that waits ends at once, one
        that is being carried out is told."""
        ...

    def busy(self, run_id: str) -> bool:
        """Whether this process has the run."""
        ...

    def key_ids(self) -> set[str]:
        """The API keys that have started the runs of this process."""
        ...

    def states(self) -> dict[str, int]:
        """How many runs of this process are in which state."""
        ...

    def room(self, organization_id: str) -> bool:
        """Whether one more run, of this organisation, is welcome."""
        ...

    async def drain(self, grace: float) -> None:
        """Take no more runs, and let go of those that are not done within `grace` seconds."""
        ...


class InlineDispatcher(Executor):
    """This process carries them out, in tasks of its own."""

    def __init__(self, runner: Runner) -> None:
        super().__init__(runner)
        self._claimed: dict[str, tuple[Job, Live]] = {}

    def claimed(self, job: Job) -> None:
        """The run was claimed as it was stored. It may be cancelled from now on, and is submitted
        by who asked for it, or found by recovery."""
        self._claimed[job.run.pk] = job, Live(job.run)

    def enqueue(self, runs: Sequence[Run]) -> None:
        """Nothing: a run that was not submitted is found by recovery."""

    def submit(self, run: Run, transcript: Transcript | None = None) -> None:
        """See `Dispatcher.submit`."""
        if self.draining or self.busy(run.pk):
            return
        job, live = self._claimed.pop(run.pk, (None, Live(run)))
        self._start(live, transcript, job)

    def _start(self, live: Live, transcript: Transcript | None, job: Job | None) -> None:
        self.hold(live)
        # A fresh context: a task made inside a request would inherit the request's database
        # thread and connection for as long as the run lasts.
        live.task = asyncio.create_task(
            self._carry_on(live, transcript, job), context=contextvars.Context()
        )

    async def cancel(self, run: Run, error: ClawError | None = None) -> None:
        """See `Dispatcher.cancel`."""
        if run.status == RunStatus.QUEUED:
            try:
                following = await self._runner.withdraw(run, error)
            except Fenced:
                pass  # it was claimed in the meantime
            else:
                if following is not None:
                    self.submit(following)
                return
        if not self.stop_here(run.pk, error) and run.pk in self._claimed:
            # Not submitted yet, and perhaps never, if who asked has left: it ends by itself.
            job, live = self._claimed.pop(run.pk)
            live.stop(error)
            self._start(live, None, job)

    async def _carry_on(self, live: Live, transcript: Transcript | None, job: Job | None) -> None:
        try:
            following = await self.carry_out(live, transcript, job)
        except Exception:  # noqa: BLE001 - it has been logged; the next sweep recovers the run
            return
        if following is not None:
            self.submit(following)

    def _let_go(self, live: Live) -> None:
        """There is nobody to hand it to: it ends as interrupted, with what it has."""
        live.stop(interrupted())
