"""Ends or continues, from their logs, the runs that no process executes any more."""

import asyncio
import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.utils import timezone

from accounts import idempotency
from agents.outbound.credentials import base_url
from conversations import access
from conversations.execution.attempt import Attempt, finish, read_transcript, take_over
from conversations.execution.claim import agent_of, claim
from conversations.execution.dispatch.base import Dispatcher
from conversations.execution.observers import Observers
from conversations.execution.opening import first_fold, stamp, started_event
from conversations.execution.recording import outcome
from conversations.execution.recording.completion import complete_logs
from conversations.execution.recording.outcome import Timing
from conversations.execution.recording.recorder import FinishedRun, Recorder
from conversations.execution.setup.prompt import Prompts
from conversations.execution.setup.toolbox import toolbox
from conversations.execution.waiting import wake_expired
from conversations.models import FINAL, UNFINISHED, Run, RunStatus
from core.database import database_step
from core.tasks.background import Background
from engine import events as ev
from engine.continuation import open_calls, unfinished_chars, unfinished_request
from engine.errors import Unavailable
from engine.log.base import Log, LogError
from engine.request import estimate_prompt
from engine.transcript import Transcript
from engine.usage import TokenCounts, estimate_tokens, price_list_of, settle

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3  # a run that kills its process must not kill it for ever
AT_ONCE = 200
SETTLE_SECONDS = 10.0  # in which the process that ended a run writes the end of its log


class Recovery:
    """At start, and again and again: a run that could not be stored is left to this."""

    def __init__(
        self,
        log: Log,
        dispatcher: Dispatcher,
        recorder: Recorder,
        prompts: Prompts,
        observers: Observers,
        open_runs: Callable[[], list[str]] = list,
    ) -> None:
        """`open_runs` gives the runs without an end in a journal that only this process writes."""
        self._log, self._dispatcher, self._recorder = log, dispatcher, recorder
        self._prompts, self._observers, self._open_runs = prompts, observers, open_runs
        self._background = Background()

    def start(self) -> None:
        """Sweep every `CLAW_RUN_LEASE` seconds, the first time at once."""
        self._background.start(self._keep_sweeping())

    async def stop(self) -> None:
        """End the sweeping."""
        await self._background.stop()

    async def _keep_sweeping(self) -> None:
        while True:
            try:
                await self.sweep()
                await self._log.sweep()
                await database_step(idempotency.purge)
            except (Unavailable, OSError):
                log.warning("the sweep is put off", exc_info=True)
            await asyncio.sleep(settings.CLAW_RUN_LEASE)

    async def sweep(self) -> None:
        """Dispatch or end every unfinished run that this process does not have."""
        while await database_step(wake_expired, self._dispatcher.enqueue):
            pass
        busy, position = self._dispatcher.busy, 0
        while page := await database_step(_unfinished, position):
            position = page[-1][1]
            # The rows of those alone: a thousand of this process' own would hold it up for long.
            left = [pk for pk, _ in page if not busy(pk)]
            runs = await database_step(access.runs_by_id, left) if left else []
            await self._sweep([run for run in runs if run and not (busy(run.pk) or _ended(run))])
        await self._complete()

    async def _complete(self) -> None:
        """Complete logs that lack only their end (the disk was full, perhaps). Erase those of
        deleted runs."""
        left = [run_id for run_id in self._open_runs() if not self._dispatcher.busy(run_id)]
        try:
            await complete_logs(self._log, left, SETTLE_SECONDS)
        except LogError:
            log.warning("logs could not be completed yet", exc_info=True)

    async def _sweep(self, page: list[Run]) -> None:
        for run in page:
            try:
                await self.recover(run)
            except (LogError, Unavailable):
                log.warning("run %s could not be recovered yet", run.pk, exc_info=True)
            except Exception:  # a defect that one run meets must not keep the others from recovery
                log.exception("run %s could not be recovered", run.pk)

    async def recover(self, run: Run) -> None:
        """Continue `run` where its log ends. Raises what the log and the database raise."""
        transcript = await self.prepare(run)
        if transcript is None:
            return
        if transcript.started is None:
            writer = self._log.writer(stamp(run), 0)
            if writer.seq == 0:  # or its client has come back in this moment
                writer.append(started_event(run))
            transcript = first_fold(run)
        self._dispatcher.submit(run, transcript)

    async def prepare(self, run: Run) -> Transcript | None:
        """The transcript of `run`, if it is to go on; None if it waits, has ended, or was ended
        here.

        Raises the errors of the log and the database."""
        if run.status in FINAL:
            await complete_logs(self._log, [run.pk])
            return None
        if run.status == RunStatus.WAITING and not run.woken:
            return None
        transcript = await read_transcript(self._log, run.pk)
        if self._dispatcher.busy(run.pk):  # since the sweep began: what it knows of it is old
            return None
        if run.status != RunStatus.RUNNING or self._goes_on(run, transcript):
            return transcript
        await self._end(run, transcript)
        return None

    def _goes_on(self, run: Run, transcript: Transcript) -> bool:
        """Whether the run gets another attempt: nobody has seen any of it, or its agent wants it
        continued."""
        crashed = run.attempt - transcript.waits
        if transcript.outcome is not None or transcript.answered or crashed >= MAX_ATTEMPTS:
            return False
        # A run that waited is no worse for a crash before anything more was done.
        begun = transcript.produced and not transcript.suspended
        return not begun or agent_of(run).on_crash == "continue"

    async def _end(self, run: Run, transcript: Transcript) -> None:
        """End the run: with the outcome that its log holds, as completed if the model has said all
        of it, else as interrupted."""
        timing, begun = _timing(run), run.started_at
        (claimed,) = await database_step(claim, [run])
        if claimed is None:
            return
        run.started_at = begun  # when its work began: this claim only ends it
        if transcript.done is not None:  # the database lost what the log still has
            await self._recorder.commit(FinishedRun(run, claimed.attempt, transcript))
            return
        writer = self._log.writer(stamp(run), claimed.attempt)
        attempt = Attempt(claimed, writer, transcript, self._observers, timing)
        await take_over(attempt, self._log)
        if transcript.outcome is None:
            report = None if transcript.answered else await self._lost_usage(run, transcript)
            if report is not None:
                attempt.append(report)
            if transcript.typing:
                attempt.append(ev.Typing(status="stop"))
            attempt.append(_missing_outcome(attempt))
            await attempt.writer.flush()
        following = await finish(attempt, self._recorder)
        log.warning("run %s was left by its process: it ends as %s", run.pk, transcript.status)
        for one in following:
            self._dispatcher.submit(one)

    async def _lost_usage(self, run: Run, transcript: Transcript) -> ev.UsageReported | None:
        """An estimate for the model call that the dead process had open."""
        if len(transcript.reports) > len(transcript.steps) or open_calls(transcript):
            return None  # the call was settled, or none was open while tools ran
        agent = agent_of(run)
        async with toolbox(run) as tools:
            request = await self._prompts.build(run, tools.specs(), transcript.retrieved or [])
        return settle(
            TokenCounts(),
            complete=False,
            prompt_estimate=estimate_prompt(unfinished_request(request, transcript)),
            output_estimate=estimate_tokens(unfinished_chars(transcript)),
            price_list=price_list_of(agent.provider, base_url(agent)),
            model=request.model,
        )


def _timing(run: Run) -> Timing:
    """Times as if this process had begun the run. It has seen no token, so it tells no speed."""
    begun = run.started_at or timezone.now()
    return Timing(begun=time.monotonic() - (timezone.now() - begun).total_seconds())


def _missing_outcome(attempt: Attempt) -> ev.Outcome:
    """The outcome that the dead process would have written."""
    if attempt.transcript.answered:
        return outcome.complete(attempt.transcript, attempt.timing)
    return outcome.failed(outcome.interrupted(), attempt.transcript, attempt.timing)


def _ended(run: Run) -> bool:
    return run.status in FINAL


def _unfinished(position: int) -> list[tuple[str, int]]:
    """The next page, after a user message's key, of unfinished runs that do not wait for
    somebody; each with its key."""
    rows = Run.objects.filter(UNFINISHED, user_message__gt=position).exclude(
        status=RunStatus.WAITING, woken=False
    )
    return list(rows.order_by("user_message").values_list("pk", "user_message")[:AT_ONCE])
