"""Executes one attempt at a run: model to log, then outcome, commit, `done`."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import NoReturn, TypeAlias

from django.conf import settings

from agents.outbound.credentials import at_present, provider_access
from conversations.execution.attempt import Attempt, finish, read_transcript, take_over
from conversations.execution.claim import ClaimedRun
from conversations.execution.dispatch.handle import Released, RunHandle
from conversations.execution.observers import Observers
from conversations.execution.opening import first_fold, stamp, started_event
from conversations.execution.recording import outcome
from conversations.execution.recording.joining import waiting_to_join
from conversations.execution.recording.outcome import Timing
from conversations.execution.recording.recorder import FinishedRun, Recorder
from conversations.execution.setup.prompt import Prompts
from conversations.execution.setup.providers import ProviderPool
from conversations.execution.setup.toolbox import Emit, toolbox
from conversations.execution.waiting import begin_wait
from conversations.models import Run, RunStatus
from conversations.usage import budgets
from core.database import database_step
from engine import events as ev
from engine.continuation import lost_questions, lost_results, open_calls
from engine.errors import ClawError, RunTimeout, Unavailable
from engine.log.base import Fenced, Log, LogError
from engine.request import Limits, ToolSpec
from engine.run import AgentLoop
from engine.tools.base import Toolbox, Waiting
from engine.tools.clock import Clock
from engine.transcript import Transcript, fold
from knowledge.retrieval import retrieve

log = logging.getLogger(__name__)

LARGE = 256 * 1024
"""Bytes of an answer that ends when no other one of this size does. At its end it is in memory
several times (event, log, row); many that end together would fill it."""

End: TypeAlias = Callable[[Transcript, Timing], ev.Outcome]
"""Makes the outcome from the transcript."""
OpenToolbox: TypeAlias = Callable[[Run, Emit], AbstractAsyncContextManager[Toolbox]]
"""Opens the tools of a run, which may have something to say."""

GOES_ON = "The answer was interrupted and goes on."


class Runner:
    """Executes any number of runs at once. It keeps nothing of them."""

    def __init__(
        self,
        log: Log,
        recorder: Recorder,
        providers: ProviderPool,
        prompts: Prompts,
        observers: Observers,
        open_toolbox: OpenToolbox = toolbox,
    ) -> None:
        self._log, self._recorder, self._providers = log, recorder, providers
        self._prompts, self._observers, self._open_toolbox = prompts, observers, open_toolbox
        self._large = asyncio.Lock()  # held while a large answer ends

    async def execute(
        self, claimed: ClaimedRun, handle: RunHandle, transcript: Transcript | None = None
    ) -> list[Run]:
        """Take a claimed run to its end, or until it has to wait. Returns the runs to submit: the
        conversation's next one, this one if it was woken as it began to wait, and those that
        wait for it or were begun for it.

        `transcript` is what earlier attempts have written. Raises `Fenced` if a later attempt
        took over, `StorageFailed` or `Unavailable` if the run could not be read or its end not be
        stored: then the run stays unfinished and recovery ends it."""
        run = claimed.run
        writer = self._log.writer(stamp(run), claimed.attempt)
        if transcript is None or transcript.started is None:
            transcript = first_fold(run)
        attempt = Attempt(claimed, writer, transcript, self._observers)
        await take_over(attempt, self._log)
        attempt.timing = Timing.after(transcript)
        if writer.seq == 0:  # claimed before the first event, or the process died before it
            writer.append(started_event(run))
        handle.transcript = transcript
        if transcript.outcome is not None:
            return await finish(attempt, self._recorder)
        if claimed.attempt == 1:
            self._observers.status(run, RunStatus.QUEUED)
            self._observers.started(run)
        elif transcript.suspended:
            self._observers.status(run, RunStatus.WAITING)
        end: End | list[Run] = outcome.complete
        if not transcript.answered:
            end = await self._produce(attempt, handle)
        if isinstance(end, list):
            return [*end, run] if handle.woken and run not in end else end
        async with self._large if transcript.size > LARGE else nullcontext():
            return await self._conclude(attempt, end(transcript, attempt.timing))

    async def withdraw(self, run: Run, error: ClawError | None) -> list[Run]:
        """End a run that is in line: cancelled, or failed with `error`. Returns those to begin now.
        Raises `Fenced` if the run has been claimed."""
        end: End = partial(outcome.failed, error) if error else outcome.cancelled
        return await self._end_in_line(run, end)

    async def _end_in_line(self, run: Run, end_of: End) -> list[Run]:
        """End a run that is in line. Returns those to begin now.

        Here the commit comes first, since it decides against a claim of the same moment. Raises
        `Fenced` if the run has been claimed."""
        transcript = await read_transcript(self._log, run.pk)
        end = end_of(transcript, Timing())
        transcript.last_seq += 1
        following = await self._recorder.commit(FinishedRun(run, 0, fold(transcript, end)))
        writer = self._log.writer(stamp(run), 0)
        await writer.flush()
        writer.append(end)
        fold(transcript, done := outcome.done(transcript))
        writer.append(done)
        await writer.flush()
        self._observers.status(run, RunStatus.QUEUED)
        self._observers.ended(run, transcript)
        return following

    async def _produce(self, attempt: Attempt, handle: RunHandle) -> End | list[Run]:
        """Everything up to the outcome; if the run waits, the runs to submit. A failure of the
        model is an outcome too."""
        limits = Limits(
            idle_timeout=settings.CLAW_PROVIDER_IDLE_TIMEOUT,
            answer_bytes=settings.CLAW_MAX_ANSWER_BYTES,
            tool_timeout=settings.CLAW_TOOL_TIMEOUT,
            tool_result_bytes=settings.CLAW_TOOL_RESULT_BYTES,
        )
        run, transcript = attempt.run, attempt.transcript
        loop: AgentLoop | None = None
        error: ClawError
        try:
            with handle:
                self._continue(attempt)
                async with Clock(_time_left(transcript)) as clock:
                    agent = attempt.claimed.agent
                    access = await provider_access(await at_present(agent))
                    async with (
                        self._providers.use(access) as provider,
                        self._open_toolbox(run, attempt.append) as tools,
                    ):
                        specs = tools.specs()
                        self._end_lost_calls(attempt, specs)
                        question = run.user_message.content
                        await retrieve(agent, question, transcript, attempt.append)
                        found = transcript.retrieved or []
                        request = await self._prompts.build(run, specs, found)
                        purse = budgets.purse_of(run, agent)
                        loop = AgentLoop(request, transcript, provider, tools, limits, purse, clock)
                        steer = partial(self._steer, attempt)
                        waiting = await loop.run(attempt.extend, attempt.writer.flush, steer)
                if waiting and not _handed_over(run, waiting):
                    return await self._wait(attempt, waiting)
                await asyncio.sleep(0)  # a stop that came with the last token is seen here
            return outcome.complete
        except asyncio.CancelledError as cancel:
            if not handle.stopped:
                raise  # not a user's stop: the owner of this task is going away
            asyncio.current_task().uncancel()  # type: ignore[union-attr]
            if handle.releasing:
                await self._release(attempt, loop, cancel)
            late, seconds = transcript.token_count - handle.tokens_at_stop, handle.since_stop
            attempt.timing.cancel_ms = round(seconds * 1000)
            self._observers.stopped(run, seconds, late)
            self._settle(attempt, loop, cancel)
            if handle.error is None:
                return outcome.cancelled
            error = handle.error
        except TimeoutError as timeout:
            error = RunTimeout()
            self._settle(attempt, loop, timeout)
        except (LogError, Unavailable):
            raise
        except ClawError as problem:
            error = problem
            self._settle(attempt, loop, problem)
            log.warning("run %s failed: %s %s", run.pk, error.code, getattr(error, "reason", ""))
        except Exception as defect:  # a defect of ours still ends the run, and says nothing of it
            log.exception("run %s failed", run.pk)
            error = ClawError("internal_error", "Something went wrong on our side.")
            self._settle(attempt, loop, defect)
        return partial(outcome.failed, error)

    async def _steer(self, attempt: Attempt) -> None:
        """Let the messages that wait to join this run do so. The database has first that one has
        joined, with the end of its own run, and then the log: one that a crash has left in between
        is found again."""
        run, transcript = attempt.run, attempt.transcript
        there = {event.user_message_id for _, event in transcript.steered}
        for waiting in await database_step(waiting_to_join, run):
            message = waiting.user_message
            if message.public_id in there:
                continue
            if message.joined_id is None:
                try:
                    await self._end_in_line(waiting, partial(outcome.joined, run.pk))
                except Fenced:  # somebody has cancelled it in this moment
                    continue
            attempt.append(
                ev.Steered(
                    user_message_id=message.public_id,
                    content=message.content,
                    client_message_id=waiting.client_message_id,
                    context=message.context,
                )
            )

    def _continue(self, attempt: Attempt) -> None:
        """Say that the work begins, or goes on."""
        transcript = attempt.transcript
        waited = transcript.suspended
        if not transcript.typing:
            attempt.append(ev.Typing(status="start"))
        if transcript.token_count and not waited:
            attempt.append(ev.Status(message=GOES_ON, stage="continued"))

    def _end_lost_calls(self, attempt: Attempt, specs: list[ToolSpec]) -> None:
        """End the calls that an earlier attempt had begun. Those that still wait for somebody, and
        those of a tool that may be called again, are made again."""
        transcript = attempt.transcript
        repeatable = {spec.name for spec in specs if spec.repeatable}
        waiting = {call.id for call in transcript.pending}
        kept = {
            call.id
            for call in open_calls(transcript)
            if call.id in waiting or call.name in repeatable
        }
        if lost := [*lost_results(transcript, kept), *lost_questions(transcript)]:
            attempt.extend(lost)

    async def _wait(self, attempt: Attempt, waiting: list[Waiting]) -> list[Run]:
        """End the attempt without an outcome: until somebody wakes the run, it is a row and a
        log. While nobody is asked for anything, watchers see it at work. Returns the runs to
        submit."""
        times = [call.expires_at for call in waiting if call.expires_at is not None]
        expires_at = min(times, default=None)
        pending = [call.pending for call in waiting if call.pending is not None]
        pending += [call for call in attempt.transcript.pending if call.child_run_id is not None]
        ended = ev.RunWaiting(
            pending=pending,
            expires_at=expires_at,
            worked_ms=attempt.timing.elapsed_ms(),
        )
        attempt.extend([ev.Typing(status="stop"), ended] if pending else [ended])
        await attempt.writer.flush()
        ready = await database_step(begin_wait, attempt.claimed, expires_at, self._recorder.enqueue)
        attempt.writer.release()
        self._observers.status(attempt.run, RunStatus.RUNNING)
        return ready

    async def _release(
        self, attempt: Attempt, loop: AgentLoop | None, cut: BaseException
    ) -> NoReturn:
        """Charge and keep what was said; the next attempt continues from there."""
        if attempt.transcript.token_count:
            self._settle(attempt, loop, cut)
        attempt.append(attempt.marks.timeline())
        await attempt.writer.flush()
        raise Released(attempt.run.pk)

    def _settle(self, attempt: Attempt, loop: AgentLoop | None, error: BaseException) -> None:
        """Report the usage of the model call that was cut, so that a stop is billed right."""
        report = loop.cut_usage(error) if loop else None
        if report is not None:
            attempt.append(report)
            self._observers.step(attempt.run, report, None)

    async def _conclude(self, attempt: Attempt, end: ev.Outcome) -> list[Run]:
        """Write the outcome, commit, write `done`: a client that has seen `done` finds the text in
        the history."""
        if attempt.transcript.typing:
            attempt.append(ev.Typing(status="stop"))
        attempt.append(end)
        await attempt.writer.flush()
        return await finish(attempt, self._recorder)


def _handed_over(run: Run, waiting: list[Waiting]) -> bool:
    """Whether the answer ends with these calls, because the client's next message has their
    results."""
    kinds = {call.pending.kind if call.pending else None for call in waiting}
    return run.hands_over and kinds == {"client_tool"}


def _time_left(transcript: Transcript) -> float:
    """Seconds that the run may still work. Its waits do not count."""
    return settings.CLAW_RUN_TIMEOUT - transcript.worked_ms / 1000
