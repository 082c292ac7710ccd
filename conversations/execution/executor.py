"""The runs that this process is carrying out."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

from django.conf import settings

from accounts.batching import Batcher, at_most
from accounts.database import database_step
from accounts.tracing import trace
from conversations.execution.job import Job, claim
from conversations.execution.live import Left, Live
from conversations.execution.runner import Runner
from conversations.models import Run
from engine.errors import ClawError, Unavailable
from engine.log.base import LogError
from engine.transcript import Transcript

log = logging.getLogger(__name__)

CLAIMS = 20  # in one step: bounds how long the last of them waits
SETTLE_SECONDS = 5.0  # after the grace: time to write how the runs ended


class Executor:
    """One task a run. Dispatchers decide which runs come here."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._live: dict[str, Live] = {}
        self._active: Counter[str] = Counter()  # by organisation
        self._claims: Batcher[Run, Job | None] = Batcher(self._claim, at_most(CLAIMS))
        self.draining = False

    def busy(self, run_id: str) -> bool:
        """Whether this process has the run."""
        return run_id in self._live

    def key_ids(self) -> set[str]:
        """The API keys that have started the runs of this process."""
        return {live.run.api_key_id for live in self._live.values() if live.run.api_key_id}

    def states(self) -> dict[str, int]:
        """How many runs of this process are in which state."""
        return dict(Counter(live.run.status for live in self._live.values()))

    def room(self, organization_id: str) -> bool:
        """Whether this process may take one more run, of this organisation."""
        mine = self._active[organization_id]
        return (
            not self.draining
            and len(self._live) < settings.CLAW_MAX_ACTIVE_RUNS
            and mine < settings.CLAW_MAX_ACTIVE_RUNS_PER_ORGANISATION
        )

    def stop_here(self, run_id: str, error: ClawError | None = None) -> bool:
        """Stop a run of this process; False if it is not here."""
        live = self._live.get(run_id)
        if live is None:
            return False
        live.stop(error)
        return True

    def hold(self, live: Live) -> None:
        """From now on this process has the run; follow with `carry_out`."""
        self._live[live.run.pk] = live
        self._active[live.run.organization_id] += 1

    async def carry_out(
        self, live: Live, transcript: Transcript | None, job: Job | None = None
    ) -> Run | None:
        """Claim a run, unless there is a `job` that says it is, and take it to its end; returns
        the conversation's next run.

        Raises what kept the run from being stored, once it is logged. It is left unfinished on
        purpose: whoever recovers it takes it from the log, where it ended."""
        run = live.run
        trace(organization=run.organization_id, run=run.pk)
        try:
            job = job or await self._claims.do(run)
            if job is None:
                return None
            return await self._runner.execute(job, live, transcript)
        except Left:
            await database_step(self.enqueue, [run])
            return None
        except (LogError, Unavailable):
            log.warning("run %s is left to recovery", run.pk, exc_info=True)
            raise
        except Exception:  # a defect, or a row that the database refuses: it must not go unseen
            log.exception("run %s is left to recovery", run.pk)
            raise
        finally:
            del self._live[run.pk]
            self._active[run.organization_id] -= 1

    async def _claim(self, runs: list[Run]) -> Sequence[Job | Exception | None]:
        if self.draining:  # what begins now would be broken off at once: it goes on waiting
            return [Left(run.pk) for run in runs]
        return await database_step(claim, runs)

    async def drain(self, grace: float) -> None:
        """Take no more runs; wait `grace` seconds for those that are running, then let go of the
        rest, and wait until that is written."""
        self.draining = True
        if self._live:
            log.info("waiting up to %g s for %d answers to end", grace, len(self._live))
        await self._wait(grace)
        for live in list(self._live.values()):
            self._let_go(live)
        await self._wait(SETTLE_SECONDS)
        tasks = self._tasks()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._claims.aclose()

    def enqueue(self, runs: Sequence[Run]) -> None:
        """See `Dispatcher.enqueue`."""
        raise NotImplementedError

    def _let_go(self, live: Live) -> None:
        raise NotImplementedError

    async def _wait(self, seconds: float) -> None:
        if tasks := self._tasks():
            await asyncio.wait(tasks, timeout=seconds)

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [live.task for live in self._live.values() if live.task is not None]
