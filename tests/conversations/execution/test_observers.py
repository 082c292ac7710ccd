"""`conversations.execution.observers`: observers hear of everything, and harm nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents.caller import Caller
from conversations.execution.dispatch.handle import RunHandle
from conversations.execution.observers import Observers, ProgressTicker, RunObserver
from conversations.models import Run
from core.database import database_step
from engine import events as ev
from engine.transcript import Transcript, fold
from tests.conversations.parts import ENDLESS, QUICK, Parts, reload


class Notes(RunObserver):
    """Notes everything that it is told."""

    def __init__(self) -> None:
        self.notes: list[tuple[object, ...]] = []

    def started(self, run: Run) -> None:
        self.notes.append(("started", run.attempt))

    def status(self, run: Run, before: str) -> None:
        self.notes.append(("status", before, run.status))

    def step(self, run: Run, usage: ev.UsageReported, stop_reason: str | None) -> None:
        self.notes.append(("step", usage.source, stop_reason))

    def tool(self, run: Run, event: ev.ToolCall | ev.ToolResult) -> None:
        self.notes.append((event.type, event.id))

    def progress(self, run: Run, transcript: Transcript) -> None:
        self.notes.append(("progress", run.pk, transcript.token_count))

    def stopped(self, run: Run, seconds: float, tokens: int) -> None:
        self.notes.append(("stopped", seconds < 5, tokens < 100))

    def error(self, run: Run, failed: ev.Failed) -> None:
        self.notes.append(("error", failed.code))

    def ended(self, run: Run, transcript: Transcript) -> None:
        assert transcript.done is not None
        self.notes.append(("ended", transcript.done.reason))


class Broken(RunObserver):
    """Fails at the end of every run."""

    def ended(self, run: Run, transcript: Transcript) -> None:
        raise RuntimeError("a defect of the observer")


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
async def observed(tmp_path: Path, transactional_db: None, notes: Notes) -> AsyncIterator[Parts]:
    """The run engine with two observers, of which the first is broken."""
    async with Parts(tmp_path / "runs", Broken(), notes) as parts:
        yield parts


async def test_it_works(observed: Parts, notes: Notes, caller: Caller) -> None:
    await observed.ended(await observed.start(caller, QUICK))
    assert notes.notes == [
        ("status", "queued", "running"),
        ("started", 1),
        ("step", "provider", "end_turn"),
        ("status", "running", "completed"),
        ("ended", "complete"),
    ]


async def test_an_observer_that_raises_is_logged_and_harms_nothing(
    observed: Parts, notes: Notes, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    row = await observed.ended(await observed.start(caller, QUICK))
    assert row.status == "completed"
    assert notes.notes[-1] == ("ended", "complete")
    assert "Broken failed" in caplog.text


async def test_a_stop_and_its_cut_call_are_told(
    observed: Parts, notes: Notes, caller: Caller
) -> None:
    run = await observed.start(caller, ENDLESS)
    await observed.reach(run, "token")
    await observed.dispatcher.cancel(await database_step(reload, run))
    await observed.ended(run)
    assert notes.notes[2:] == [
        ("stopped", True, True),
        ("step", "estimated", None),
        ("status", "running", "cancelled"),
        ("ended", "cancelled"),
    ]


async def test_a_failure_is_told_before_the_end(
    observed: Parts, notes: Notes, caller: Caller
) -> None:
    await observed.ended(await observed.start(caller, "/fail"))
    assert [note[0] for note in notes.notes][-3:] == ["status", "error", "ended"]


async def test_a_run_that_ends_in_line_never_starts(
    observed: Parts, notes: Notes, caller: Caller
) -> None:
    await observed.start(caller, ENDLESS, conversation_id="abc")
    second = await observed.accept(caller, QUICK, conversation_id="abc")
    notes.notes.clear()
    await observed.dispatcher.cancel(second)
    told = [note for note in notes.notes if note[0] in ("status", "ended")]
    assert ("status", "queued", "cancelled") in told
    assert ("ended", "cancelled") in told


async def test_progress_is_told_where_there_is_some(notes: Notes) -> None:
    handle = RunHandle(Run(pk="run_1"))
    ticker = ProgressTicker(Observers(notes), lambda: [handle])
    ticker.tick()
    fold(handle.transcript, ev.Token(content="Hi", index=0, seq=3))
    ticker.tick()
    ticker.tick()
    assert notes.notes == [("progress", "run_1", 1)]


async def test_progress_is_looked_for_only_if_somebody_wants_it(notes: Notes) -> None:
    assert not Observers(Broken()).watch_progress
    assert Observers(Broken(), notes).watch_progress
    before = asyncio.all_tasks()
    ticker = ProgressTicker(Observers(Broken()), list)
    ticker.start()
    assert asyncio.all_tasks() == before
    await ticker.stop()
