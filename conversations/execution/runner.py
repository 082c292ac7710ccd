"""Carries out one attempt at a run: model to log, then outcome, commit, `done`."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from django.conf import settings

from agents.credentials import provider_access
from conversations import metrics
from conversations.execution import outcome
from conversations.execution.job import Job, first_fold, stamp, started_event
from conversations.execution.live import Left, Live
from conversations.execution.outcome import Timing
from conversations.execution.providers import ProviderPool
from conversations.execution.recorder import Final, Recorder, token_time
from conversations.models import Run
from engine import events as ev
from engine.errors import ClawError, RunTimeout
from engine.log.base import Log, LogError, UnknownRun, Writer
from engine.request import Limits, goes_on
from engine.run import Answer
from engine.tools.base import NoTools
from engine.transcript import Transcript, fold, fold_all

log = logging.getLogger(__name__)

GOES_ON = "The answer was interrupted and goes on."


@dataclass(slots=True)
class Attempt:
    """What one attempt has written so far."""

    job: Job
    writer: Writer
    transcript: Transcript
    timing: Timing = field(default_factory=Timing)

    def append(self, event: ev.Event) -> None:
        """Into the log first: nobody, not even our own fold, is ahead of it."""
        self.extend([event])

    def extend(self, events: Sequence[ev.NewEvent]) -> None:
        """The same for events that arrived together."""
        transcript, timing = self.transcript, self.timing
        before = transcript.token_count
        transcript.last_seq = self.writer.extend(events)
        for event in events:
            fold(transcript, event)
        if timing.first_token is None and transcript.token_count > before:
            timing.first_token = time.monotonic()


class Runner:
    """Stateless but for its connections; any number of runs at once."""

    def __init__(self, log: Log, recorder: Recorder, providers: ProviderPool) -> None:
        self._log, self._recorder, self._providers = log, recorder, providers

    async def execute(
        self, job: Job, live: Live, transcript: Transcript | None = None
    ) -> Run | None:
        """Carry out a claimed run to its end; returns the conversation's next run.

        `transcript` is what earlier attempts have written. Raises `Fenced` if a later attempt
        took over, `StorageFailed` or `Unavailable` if the end could not be stored: then the
        run stays unfinished and recovery ends it."""
        writer = self._log.writer(job.stamp, job.attempt)
        known = transcript is not None and transcript.started is not None
        attempt = Attempt(job, writer, transcript if known else first_fold(job.run))
        await take_over(attempt, self._log)
        if writer.seq == 0:  # claimed before the first event, or the process died before it
            writer.append(started_event(job.run))
        live.transcript = written = attempt.transcript
        if written.outcome is not None:
            return await finish(attempt, self._recorder)
        if written.answered:
            end: ev.Outcome = outcome.complete(written, attempt.timing)
        else:
            end = await self._produce(attempt, live)
        return await self._conclude(attempt, end)

    async def withdraw(self, run: Run, error: ClawError | None) -> Run | None:
        """End a run that waits in line: cancelled, or failed with `error`; returns the next one.

        Here the commit comes first, since it decides against a claim of the same moment. Raises
        `Fenced` if the run has been claimed."""
        transcript, timing = await read_transcript(self._log, run.pk), Timing()
        end = (
            outcome.failed(error, transcript, timing)
            if error
            else outcome.cancelled(transcript, timing)
        )
        transcript.last_seq += 1
        following = await self._recorder.commit(Final(run, 0, fold(transcript, end), None))
        writer = self._log.writer(stamp(run), 0)
        await writer.flush()
        writer.append(end)
        writer.append(outcome.done(transcript))
        await writer.flush()
        return following

    async def _produce(self, attempt: Attempt, live: Live) -> ev.Outcome:
        """Everything up to the outcome. Whatever goes wrong with the model is an outcome too."""
        limits = Limits(idle_timeout=settings.CLAW_PROVIDER_IDLE_TIMEOUT)
        run_id, transcript, timing = attempt.job.run.pk, attempt.transcript, attempt.timing
        answer: Answer | None = None
        error: ClawError
        try:
            with live:
                if not transcript.typing:
                    attempt.append(ev.Typing(status="start"))
                if transcript.token_count:
                    attempt.append(ev.Status(message=GOES_ON, stage="continued"))
                async with asyncio.timeout(settings.CLAW_RUN_TIMEOUT):
                    access = await provider_access(attempt.job.agent)
                    async with self._providers.use(access) as provider:
                        answer = Answer(
                            goes_on(attempt.job.request, str(transcript.text)),
                            provider,
                            NoTools(),
                            limits,
                            token_index=transcript.token_count,
                            thinking_index=transcript.thinking_count,
                        )
                        await answer.run(attempt.extend, attempt.writer.flush)
                await asyncio.sleep(0)  # a stop that came with the last token is seen here
            return outcome.complete(transcript, timing)
        except asyncio.CancelledError as cancel:
            if not live.stopped:
                raise  # not a user's stop: whoever owns this task is going away
            asyncio.current_task().uncancel()  # type: ignore[union-attr]
            if live.leaving:
                await self._let_go(attempt, answer, cancel)
            late = transcript.token_count - live.tokens_at_stop
            waited = time.monotonic() - live.stopped_at
            metrics.observe_cancel(attempt.job.run.provider, waited, late)
            self._settle(attempt, answer, cancel)
            if live.error is None:
                return outcome.cancelled(transcript, timing)
            error = live.error
        except TimeoutError as timeout:
            error = RunTimeout()
            self._settle(attempt, answer, timeout)
        except LogError:
            raise
        except ClawError as problem:
            error = problem
            self._settle(attempt, answer, problem)
            log.info("run %s failed: %s %s", run_id, error.code, getattr(error, "reason", ""))
        except Exception as defect:  # a defect of ours still ends the run, and says nothing of it
            log.exception("run %s failed", run_id)
            error = ClawError("internal_error", "Something went wrong on our side.")
            self._settle(attempt, answer, defect)
        return outcome.failed(error, transcript, timing)

    async def _let_go(
        self, attempt: Attempt, answer: Answer | None, cut: BaseException
    ) -> NoReturn:
        """What was said is charged and kept; the next attempt goes on from there."""
        if attempt.transcript.token_count:
            self._settle(attempt, answer, cut)
        await attempt.writer.flush()
        raise Left(attempt.job.run.pk)

    def _settle(self, attempt: Attempt, answer: Answer | None, error: BaseException) -> None:
        """The usage of the model call that was cut: a stop is billed right, never as nothing."""
        report = answer.cut_usage(error) if answer else None
        if report is not None:
            attempt.append(report)

    async def _conclude(self, attempt: Attempt, end: ev.Outcome) -> Run | None:
        """Outcome, commit, `done`: who has seen `done` finds the text in the history."""
        if attempt.transcript.typing:
            attempt.append(ev.Typing(status="stop"))
        attempt.append(end)
        await attempt.writer.flush()
        return await finish(attempt, self._recorder)


async def take_over(attempt: Attempt, log: Log) -> None:
    """Make the run's log this attempt's own. What another one, slow but alive, has written since
    this attempt's transcript was read is folded too: it is the last."""
    await attempt.writer.flush()  # from here on the run is ours, and `seq` is what is stored
    transcript = attempt.transcript
    if transcript.last_seq < attempt.writer.seq:
        await read_transcript(log, attempt.job.run.pk, transcript)


async def read_transcript(
    log: Log, run_id: str, transcript: Transcript | None = None
) -> Transcript:
    """The fold of everything that the log holds of a run, or of what comes after `transcript`;
    empty if it holds nothing."""
    transcript = transcript or Transcript()
    try:
        while batch := await log.read(run_id, transcript.last_seq):
            fold_all([entry.data for entry in batch], transcript)
            await asyncio.sleep(0)  # a long log is folded without blocking everybody else
    except UnknownRun:
        pass
    return transcript


async def finish(attempt: Attempt, recorder: Recorder) -> Run | None:
    """Commit a transcript that has its outcome, then write `done`; returns the next run."""
    run, transcript = attempt.job.run, attempt.transcript
    ttft = transcript.outcome.usage.ttft_ms if transcript.outcome else None
    final = Final(run, attempt.job.attempt, transcript, token_time(run, ttft))
    following = await recorder.commit(final)
    attempt.append(outcome.done(transcript))
    await attempt.writer.flush()
    metrics.observe_end(run.provider, transcript)
    return following
