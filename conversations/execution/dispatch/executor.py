"""The runs that this process executes."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

from django.conf import settings

from conversations.execution.claim import ClaimedRun, claim
from conversations.execution.dispatch.handle import Released, RunHandle, error_of
from conversations.execution.runner import Runner
from conversations.models import Run
from core.database import database_step
from core.tasks.batching import Batcher, at_most
from core.tracing import trace
from engine.errors import ClawError, Unavailable
from engine.log.base import LogError
from engine.transcript import Transcript

log = logging.getLogger(__name__)

MAX_CLAIMS = 20  # in one step: bounds how long the last of them waits
SETTLE_SECONDS = 5.0  # after the grace: time to write how the runs ended


class Executor:
    """One task a run. Dispatchers decide which runs come here."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._handles: dict[str, RunHandle] = {}
        self._active: Counter[str] = Counter()  # by organisation
        self._claims: Batcher[Run, ClaimedRun | None] = Batcher(
            self._claim, at_most(MAX_CLAIMS), lambda run: run.organization_id
        )
        self.draining = False

    def handles(self) -> list[RunHandle]:
        """The runs that this process has now."""
        return list(self._handles.values())

    def busy(self, run_id: str) -> bool:
        """Whether this process has the run."""
        return run_id in self._handles

    def key_owners(self) -> dict[str, str]:
        """The API keys that have started the runs of this process, each with its organisation."""
        runs = [handle.run for handle in self.handles()]
        return {run.api_key_id: run.organization_id for run in runs if run.api_key_id}

    def states(self) -> dict[str, int]:
        """The number of runs of this process in each state."""
        return dict(Counter(handle.run.status for handle in self._handles.values()))

    def room(self, organization_id: str) -> bool:
        """Whether this process may take one more run, of this organisation."""
        mine = self._active[organization_id]
        return (
            not self.draining
            and len(self._handles) < settings.CLAW_MAX_ACTIVE_RUNS
            and mine < settings.CLAW_MAX_ACTIVE_RUNS_PER_ORGANISATION
        )

    def stop_here(self, run_id: str, error: ClawError | None = None) -> bool:
        """Stop a run of this process; False if it is not here."""
        handle = self._handles.get(run_id)
        if handle is None:
            return False
        handle.stop(error)
        return True

    def wake_here(self, run: Run) -> bool:
        """Note that a run of this process is submitted once more, since it may be about to wait,
        or shall stop; False if it is not here."""
        handle = self._handles.get(run.pk)
        if handle is None:
            return False
        handle.woken = True
        if run.stop is not None:
            handle.stop(error_of(run.stop))
        return True

    def hold(self, handle: RunHandle) -> None:
        """Note that this process has the run; follow with `execute`."""
        self._handles[handle.run.pk] = handle
        self._active[handle.run.organization_id] += 1

    async def execute(
        self, handle: RunHandle, transcript: Transcript | None, claimed: ClaimedRun | None = None
    ) -> list[Run]:
        """Claim a run, unless it is `claimed` already, and take it to its end, or until it waits.
        Returns the runs to submit now.

        Raises and logs what kept the run from being stored. The run stays unfinished on purpose:
        recovery continues it from its log."""
        run = handle.run
        trace(organization=run.organization_id, run=run.pk)
        try:
            claimed = claimed or await self._claims.do(run)
            if claimed is None:
                return []
            return await self._runner.execute(claimed, handle, transcript)
        except Released:
            await database_step(self.enqueue, [run])
            return []
        except (LogError, Unavailable):
            log.warning("run %s is left to recovery", run.pk, exc_info=True)
            raise
        except Exception:  # a defect, or a row that the database refuses: it must not go unseen
            log.exception("run %s is left to recovery", run.pk)
            raise
        finally:
            del self._handles[run.pk]
            self._active[run.organization_id] -= 1

    async def _claim(self, runs: list[Run]) -> Sequence[ClaimedRun | Exception | None]:
        if self.draining:  # a run that began now would be stopped at once: it stays queued
            return [Released(run.pk) for run in runs]
        return await database_step(claim, runs)

    async def drain(self, grace: float) -> None:
        """Take no more runs. Wait `grace` seconds for those that are running, then let go of the
        rest, and wait until that is written."""
        self.draining = True
        if self._handles:
            log.info("waiting up to %g s for %d answers to end", grace, len(self._handles))
        await self._wait(grace)
        for handle in self.handles():
            self._let_go(handle)
        await self._wait(SETTLE_SECONDS)
        tasks = self._tasks()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._claims.aclose()

    def enqueue(self, runs: Sequence[Run]) -> None:
        """See `Dispatcher.enqueue`."""
        raise NotImplementedError

    def _let_go(self, handle: RunHandle) -> None:
        raise NotImplementedError

    async def _wait(self, seconds: float) -> None:
        if tasks := self._tasks():
            await asyncio.wait(tasks, timeout=seconds)

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [handle.task for handle in self._handles.values() if handle.task is not None]
