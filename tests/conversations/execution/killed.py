"""What killed processes leave: attempts that have written some of their events."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from agents.caller import Caller
from conversations.execution.attempt import Attempt
from conversations.execution.opening import stamp
from conversations.execution.recording.outcome import Timing, complete
from conversations.execution.recording.recorder import FinishedRun
from conversations.models import Run
from core.database import database_step
from engine import events as ev
from engine.events import AnyEvent
from tests.conversations.parts import QUICK, Parts, take

Life: TypeAlias = Callable[[Callable[[Parts], Awaitable[Run]]], Awaitable[Run]]


async def claimed(parts: Parts, caller: Caller, text: str = QUICK) -> Attempt:
    """An attempt at a claimed run, as the runner has it."""
    run = await parts.accept(caller, text)
    one = await database_step(take, run)
    writer = parts.log.writer(stamp(run), one.attempt)
    return Attempt(one, writer, await parts.transcript(run), parts.observers)


def types(events: list[AnyEvent]) -> list[str]:
    return [event.type for event in events if event.type != "token"]


async def sweep(parts: Parts, run: Run) -> Run:
    """The run's row once recovery has dealt with it."""
    await parts.recovery.sweep()
    return await parts.ended(run)


def said(attempt: Attempt, *words: str) -> None:
    attempt.append(ev.Typing(status="start"))
    if words:
        attempt.extend([ev.Tokens(list(words), 0)])


def answered(attempt: Attempt) -> None:
    """Everything but the commit and `done`."""
    said(attempt, "All ", "of it")
    attempt.append(
        ev.UsageReported(
            input_tokens=3,
            output_tokens=2,
            cache_read_tokens=0,
            cache_write_tokens=0,
            reasoning_tokens=0,
            cost=0.0,
            source="provider",
        )
    )
    attempt.append(ev.Step(stop_reason="end_turn"))
    attempt.append(ev.Typing(status="stop"))
    attempt.append(complete(attempt.transcript, Timing()))


async def commit(parts: Parts, attempt: Attempt) -> None:
    """What the runner stores when the outcome is in the log."""
    number = attempt.claimed.attempt
    await parts.recorder.commit(FinishedRun(attempt.run, number, attempt.transcript))
