"""`conversations.execution.recovery`: what a dead process leaves is ended or taken up."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from accounts.database import database_step
from agents.caller import Caller
from conversations.execution import recovery
from conversations.execution.job import Job, stamp
from conversations.execution.live import Live
from conversations.execution.outcome import Timing, complete, done
from conversations.execution.recorder import Final
from conversations.execution.recovery import MOST_ATTEMPTS
from conversations.execution.runner import Attempt
from conversations.models import Run
from engine import events as ev
from engine.events import AnyEvent
from engine.log.base import Entry, UnknownRun
from tests.conversations.parts import QUICK, SILENT, Parts, reload, take

Life = Callable[[Callable[[Parts], Awaitable[Run]]], Awaitable[Run]]


@pytest.fixture
def life(tmp_path: Path, transactional_db: None) -> Life:
    """`await life(what_it_did)`: a process that did this and was killed."""

    async def live(what: Callable[[Parts], Awaitable[Run]]) -> Run:
        parts = Parts(tmp_path / "runs")  # never left properly
        run = await what(parts)
        await parts.log.aclose()
        return run

    return live


async def claimed(parts: Parts, caller: Caller, text: str = QUICK) -> tuple[Job, Attempt]:
    """A claimed run and its attempt, as the runner has them."""
    run = await parts.accept(caller, text)
    job = await database_step(take, run)
    writer = parts.log.writer(job.stamp, job.attempt)
    return job, Attempt(job, writer, await parts.transcript(run))


def types(events: list[AnyEvent]) -> list[str]:
    return [event.type for event in events if event.type != "token"]


async def sweep(parts: Parts, run: Run) -> Run:
    """The run's row once recovery has dealt with it."""
    await parts.recovery.sweep()
    return await parts.ended(run)


def said(attempt: Attempt, *words: str) -> None:
    attempt.append(ev.Typing(status="start"))
    for index, word in enumerate(words):
        attempt.append(ev.Token(content=word, index=index))


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


async def test_it_works(life, parts, caller):
    async def killed(before: Parts) -> Run:
        job, attempt = await claimed(before, caller)
        said(attempt, "Once ", "upon ")
        return job.run

    run = await life(killed)
    row = await sweep(parts, run)
    events = await parts.events(run)

    assert types(events) == ["run_started", "typing", "usage", "typing", "error", "done"]
    assert (row.status, row.error["code"]) == ("interrupted", "run_interrupted")
    assert row.message.content == "Once upon "
    assert (row.usage["source"], row.last_seq) == ("estimated", events[-1].seq)
    assert row.usage["inputTokens"] > 0 and row.usage["outputTokens"] > 0


async def test_p1_a_message_that_nobody_had_begun_is_answered(life, parts, caller):
    run = await life(lambda before: before.accept(caller))
    row = await sweep(parts, run)

    assert (row.status, row.message.content, row.attempt) == ("completed", "Hello there", 1)


async def test_p1_a_message_without_any_log_is_answered(life, parts, caller):
    async def killed(before: Parts) -> Run:
        run = await before.accept(caller)
        await before.log.erase(run.pk)
        return run

    run = await life(killed)
    row = await sweep(parts, run)

    assert row.status == "completed"
    assert types(await parts.events(run))[0] == "run_started"


async def test_a_run_that_had_said_nothing_is_taken_up_once_more(life, parts, caller):
    async def killed(before: Parts) -> Run:
        job, attempt = await claimed(before, caller)
        said(attempt)
        return job.run

    run = await life(killed)
    row = await sweep(parts, run)

    assert (row.status, row.attempt) == ("completed", 2)
    assert types(await parts.events(run)).count("typing") == 2  # begun once, ended once


async def test_a_run_that_was_claimed_and_lost_its_log_is_taken_up_too(life, parts, caller):
    async def killed(before: Parts) -> Run:
        job, _ = await claimed(before, caller)
        await before.log.erase(job.run.pk)
        return job.run

    row = await sweep(parts, await life(killed))
    assert (row.status, row.attempt) == ("completed", 2)


async def test_a_run_does_not_kill_its_process_for_ever(life, parts, caller):
    async def killed(before: Parts) -> Run:
        run = await before.accept(caller)
        for _ in range(MOST_ATTEMPTS):
            await database_step(take, run)
        return run

    row = await sweep(parts, await life(killed))
    assert (row.status, row.error["code"]) == ("interrupted", "run_interrupted")


async def test_an_outcome_without_done_is_the_outcome(life, parts, caller):
    async def killed(before: Parts) -> Run:
        job, attempt = await claimed(before, caller)
        answered(attempt)
        return job.run

    run = await life(killed)
    row = await sweep(parts, run)
    events = await parts.events(run)

    assert types(events)[-2:] == ["message_complete", "done"]
    assert (row.status, row.message.content) == ("completed", "All of it")
    assert row.usage["source"] == "provider"
    assert events[-1].metrics.total_ms == events[-2].usage.latency_ms


async def test_what_the_database_lost_is_stored_from_the_log(life, parts, caller):
    async def killed(before: Parts) -> Run:
        job, attempt = await claimed(before, caller)
        answered(attempt)
        attempt.append(done(attempt.transcript))
        return job.run

    run = await life(killed)
    before = await parts.events(run)
    row = await sweep(parts, run)

    assert (row.status, row.message.content) == ("completed", "All of it")
    assert row.last_seq == before[-1].seq
    assert await parts.events(run) == before


async def test_a_run_that_the_database_has_as_waiting_is_stored_from_the_log(life, parts, caller):
    """It lost more than one commit; the next message of the conversation must not wait for ever."""

    async def killed(before: Parts) -> Run:
        job, attempt = await claimed(before, caller)
        answered(attempt)
        attempt.append(done(attempt.transcript))
        waits = {"status": "queued", "attempt": 0, "started_at": None}
        await database_step(Run.objects.filter(pk=job.run.pk).update, **waits)
        return job.run

    run = await life(killed)
    before = await parts.events(run)
    await parts.recovery.sweep()
    row = await sweep(parts, run)

    assert (row.status, row.message.content) == ("completed", "All of it")
    assert await parts.events(run) == before


async def test_a_commit_without_done_gets_its_done_at_start(life, tmp_path, caller):
    async def killed(before: Parts) -> Run:
        job, attempt = await claimed(before, caller)
        answered(attempt)
        stored = Final(job.run, job.attempt, attempt.transcript, None)
        await before.recorder.commit(stored)
        return job.run

    run = await life(killed)
    async with Parts(tmp_path / "runs") as parts:
        events = await parts.events(run)
        row = await database_step(reload, run)

    assert types(events)[-2:] == ["message_complete", "done"]
    assert (row.status, row.last_seq) == ("completed", events[-1].seq)


async def test_a_done_that_could_not_be_written_is_written_later(parts, caller, monkeypatch):
    """P5: the disk was full, say, for just this event."""
    monkeypatch.setattr(recovery, "SETTLE_SECONDS", 0.0)
    job, attempt = await claimed(parts, caller)
    answered(attempt)
    await parts.recorder.commit(Final(job.run, job.attempt, attempt.transcript, None))
    assert (await parts.transcript(job.run)).done is None
    await parts.recovery.sweep()
    assert types(await parts.events(job.run))[-2:] == ["message_complete", "done"]


async def test_p39_the_log_of_a_deleted_run_is_erased(parts, caller):
    """Rows may also go by way of the admin, or with their organisation."""
    job, attempt = await claimed(parts, caller)
    said(attempt, "SECRET-MARKER ")
    await attempt.writer.flush()
    journal = parts.folder / f"{job.run.pk}.jsonl"
    assert b"SECRET-MARKER" in journal.read_bytes()
    await database_step(job.run.conversation.delete)
    await parts.recovery.sweep()
    assert not journal.exists()


@pytest.mark.parametrize("code", [None, "key_revoked"])
async def test_a_withdrawal_without_its_events_gets_them_at_start(life, tmp_path, caller, code):
    async def killed(before: Parts) -> Run:
        run = await before.accept(caller)
        error = {"code": code, "message": "This key has been revoked."} if code else None
        run.status, run.error = "failed" if code else "cancelled", error
        await database_step(run.save)
        return run

    run = await life(killed)
    async with Parts(tmp_path / "runs") as parts:
        events = await parts.events(run)

    assert types(events) == ["run_started", "error" if code else "cancelled", "done"]
    if code:
        assert events[1].code == code


async def test_a_log_without_its_run_is_forgotten_at_start(life, tmp_path, caller):
    async def killed(before: Parts) -> Run:
        run = await before.accept(caller)
        await database_step(run.conversation.delete)
        return run

    run = await life(killed)
    async with Parts(tmp_path / "runs") as parts:
        with pytest.raises(UnknownRun):
            await parts.events(run)


async def test_the_order_of_a_conversation_survives(life, parts, caller):
    runs: list[Run] = []

    async def killed(before: Parts) -> Run:
        for _ in range(3):
            runs.append(await before.accept(caller, conversation_id="abc"))
        await database_step(take, runs[0])
        before.log.writer(stamp(runs[0]), 1).append(ev.Token(content="Once ", index=0))
        return runs[0]

    await life(killed)
    await parts.recovery.sweep()
    rows = [await parts.ended(run) for run in runs]

    assert [row.status for row in rows] == ["interrupted", "completed", "completed"]
    assert rows[0].finished_at <= rows[1].started_at
    assert rows[1].finished_at <= rows[2].started_at


async def test_what_this_process_is_doing_is_left_alone(parts, caller):
    run = await parts.start(caller, SILENT)
    await parts.reach(run, "typing")
    await parts.recovery.sweep()

    assert (await database_step(reload, run)).attempt == 1
    assert types(await parts.events(run, lambda event: event.type == "typing")) == [
        "run_started",
        "typing",
    ]


async def test_a_sweep_that_meets_the_end_of_a_run_does_nothing(parts, caller):
    run = await parts.start(caller, SILENT)
    await parts.reach(run, "typing")
    stale = await database_step(reload, run)
    await parts.dispatcher.cancel(run)
    events = await parts.events(run)
    await parts.recovery.recover(stale)

    assert await parts.events(run) == events
    assert (await database_step(reload, run)).attempt == 1


async def test_one_run_that_cannot_be_recovered_keeps_no_other_from_it(life, parts, caller, caplog):
    runs = []

    async def killed(before: Parts) -> Run:
        for _ in range(2):
            job, attempt = await claimed(before, caller)
            said(attempt, "Once ")
            runs.append(job.run)
        return runs[1]

    await life(killed)
    path = parts.folder / f"{runs[0].pk}.jsonl"
    path.write_bytes(b'{"type":"token","seq":1}\n')
    row = await sweep(parts, runs[1])

    assert row.status == "interrupted"
    assert runs[0].pk in caplog.text


async def test_what_is_written_while_a_run_is_taken_over_is_kept(parts, caller, monkeypatch):
    """By a process that is slow but alive."""
    job, attempt = await claimed(parts, caller)
    said(attempt, "Once ")
    read = parts.log.read

    async def read_and_fall_behind(run_id: str, after: int = 0) -> list[Entry]:
        batch = await read(run_id, after)
        if not batch and attempt.transcript.token_count == 1:
            attempt.append(ev.Token(content="upon", index=1))
        return batch

    monkeypatch.setattr(parts.log, "read", read_and_fall_behind)
    row = await sweep(parts, job.run)
    assert (row.message.content, row.status) == ("Once upon", "interrupted")


async def test_an_outcome_that_was_written_while_it_was_taken_over_is_the_outcome(parts, caller):
    job, attempt = await claimed(parts, caller)
    read = await parts.transcript(job.run)
    answered(attempt)
    later = await database_step(take, await database_step(reload, job.run))
    await parts.runner.execute(later, Live(later.run), read)
    row = await parts.ended(job.run)
    assert (row.message.content, row.status) == ("All of it", "completed")
    assert types(await parts.events(job.run)).count("done") == 1


async def test_it_sweeps_by_itself_until_it_is_stopped(parts, caller, settings):
    settings.CLAW_RUN_LEASE = 0.05
    parts.recovery.start()
    run = await parts.accept(caller)
    row = await asyncio.wait_for(parts.ended(run), 5)
    await parts.recovery.stop()

    assert row.status == "completed"
