"""Ends or takes up runs that nobody is carrying out any more, from what their log holds."""

import asyncio
import contextvars
import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts import idempotency
from accounts.database import database_step
from agents.credentials import base_url
from conversations import access
from conversations.execution import outcome
from conversations.execution.dispatch import Dispatcher
from conversations.execution.job import agent_of, claim, first_fold, stamp, started_event
from conversations.execution.outcome import Timing
from conversations.execution.recorder import Final, Recorder
from conversations.execution.runner import Attempt, finish, read_transcript, take_over
from conversations.models import FINAL, Run, RunStatus
from engine import events as ev
from engine.errors import ClawError, Unavailable
from engine.log.base import Log, LogError
from engine.request import estimate_prompt
from engine.transcript import Transcript, fold
from engine.usage import TokenCounts, estimate_tokens, price_list_of, settle

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3  # a run that kills its process must not kill it for ever
AT_ONCE = 200
SETTLE_SECONDS = 10.0  # in which whoever ended a run writes the end of its log


class Recovery:
    """At start, and again and again: a run that could not be stored is left to this."""

    def __init__(
        self,
        log: Log,
        dispatcher: Dispatcher,
        recorder: Recorder,
        open_runs: Callable[[], list[str]] = list,
    ) -> None:
        """`open_runs`: those without an end in a journal that only this process completes."""
        self._log, self._dispatcher, self._recorder = log, dispatcher, recorder
        self._open_runs = open_runs
        self._sweeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Sweep every `CLAW_RUN_LEASE` seconds, the first time at once."""
        self._sweeping = asyncio.create_task(self._keep_sweeping(), context=contextvars.Context())

    async def stop(self) -> None:
        """End the sweeping."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)

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
        """Every unfinished run that this process does not have: dispatched, or ended."""
        busy, position = self._dispatcher.busy, 0
        while page := await database_step(_unfinished, position):
            position = page[-1][1]
            # The rows of those alone: a thousand of this process' own would hold it up for long.
            left = [pk for pk, _ in page if not busy(pk)]
            runs = await database_step(access.runs_by_id, left) if left else []
            await self._sweep([run for run in runs if run and not (busy(run.pk) or _ended(run))])
        await self._complete()

    async def _complete(self) -> None:
        """The logs that lack only their end (a full disk, perhaps), or whose run was deleted."""
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
        """Take `run` up where its log ends. Raises what the log and the database raise."""
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
        """What `run` has written, if it is to go on; None if it has ended, or was ended here.

        Raises what the log and the database raise."""
        if run.status in FINAL:
            await complete_logs(self._log, [run.pk])
            return None
        transcript = await read_transcript(self._log, run.pk)
        if self._dispatcher.busy(run.pk):  # since the sweep began: what it knows of it is old
            return None
        if run.status == RunStatus.QUEUED or self._goes_on(run, transcript):
            return transcript
        await self._end(run, transcript)
        return None

    def _goes_on(self, run: Run, transcript: Transcript) -> bool:
        """Nobody has seen any of it, or its agent wants it continued: once more."""
        if transcript.outcome is not None or transcript.answered or run.attempt >= MOST_ATTEMPTS:
            return False
        return not transcript.produced or agent_of(run).on_crash == "continue"

    async def _end(self, run: Run, transcript: Transcript) -> None:
        """The outcome that the log already holds or lacks alone, else `interrupted`."""
        timing = _timing(run)
        (job,) = await database_step(claim, [run])
        if job is None:
            return
        if transcript.done is not None:  # the database lost what the log still has
            await self._recorder.commit(Final(job.run, job.attempt, transcript, None))
            return
        attempt = Attempt(job, self._log.writer(job.stamp, job.attempt), transcript, timing)
        await take_over(attempt, self._log)
        if transcript.outcome is None:
            report = None if transcript.answered else _lost_usage(attempt)
            if report is not None:
                attempt.append(report)
            if transcript.typing:
                attempt.append(ev.Typing(status="stop"))
            attempt.append(_missing_outcome(attempt))
            await attempt.writer.flush()
        following = await finish(attempt, self._recorder)
        log.warning("run %s was left by its process: it ends as %s", run.pk, transcript.status)
        if following is not None:
            self._dispatcher.submit(following)


async def complete_logs(log_: Log, run_ids: list[str], settled: float = 0.0) -> None:
    """Write the `done` of runs that are final in the database but not in their log (the process
    died between the commit and `done`); forget logs whose run is gone, or that a power cut has
    left behind the database: nobody can go on from them.

    Runs that became final less than `settled` seconds ago are left to whoever ended them."""
    rows = await database_step(access.runs_by_id, run_ids)
    recent = timezone.now() - timedelta(seconds=settled)
    for run_id, run in zip(run_ids, rows, strict=True):
        if run is None:
            await log_.erase(run_id)
        elif run.status in FINAL and (run.finished_at or recent) <= recent:
            transcript = await read_transcript(log_, run_id)
            if transcript.done is not None:
                continue
            if transcript.outcome is None and run.started_at is not None:
                await log_.erase(run_id)
                continue
            writer = log_.writer(stamp(run), run.attempt + 1)
            await writer.flush()
            if transcript.outcome is None:  # withdrawn while it waited
                fold(transcript, end := _end_of_row(run, transcript))
                writer.append(end)
            writer.append(outcome.done(transcript))
            await writer.flush()


def _timing(run: Run) -> Timing:
    """As if this process had begun the run; when its first token came is not known any more."""
    begun = run.started_at or timezone.now()
    return Timing(begun=time.monotonic() - (timezone.now() - begun).total_seconds())


def _missing_outcome(attempt: Attempt) -> ev.Outcome:
    """What the dead process would have written, had it lived."""
    if attempt.transcript.answered:
        return outcome.complete(attempt.transcript, attempt.timing)
    return outcome.failed(outcome.interrupted(), attempt.transcript, attempt.timing)


def _lost_usage(attempt: Attempt) -> ev.UsageReported | None:
    """An estimate for the model call that the dead process had open."""
    transcript, request, agent = attempt.transcript, attempt.job.request, attempt.job.agent
    if len(transcript.reports) > len(transcript.steps):
        return None  # the call was settled
    said = len(str(transcript.text)) + len(str(transcript.thinking))
    return settle(
        TokenCounts(),
        complete=False,
        prompt_estimate=estimate_prompt(request),
        output_estimate=estimate_tokens(said),
        price_list=price_list_of(agent.provider, base_url(agent)),
        model=request.model,
    )


def _end_of_row(run: Run, transcript: Transcript) -> ev.Outcome:
    if run.error is None:
        return outcome.cancelled(transcript, Timing())
    error = ClawError(run.error["code"], run.error["message"])
    return outcome.failed(error, transcript, Timing())


def _ended(run: Run) -> bool:
    return run.status in FINAL


def _unfinished(position: int) -> list[tuple[str, int]]:
    """The next page of them, after a user message's key; each with that key."""
    rows = Run.objects.exclude(status__in=FINAL).filter(user_message__gt=position)
    return list(rows.order_by("user_message").values_list("pk", "user_message")[:AT_ONCE])
