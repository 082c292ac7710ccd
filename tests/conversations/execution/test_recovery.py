"""`conversations.execution.recovery`: what a dead process leaves is ended or taken up."""

import asyncio
from datetime import timedelta

from conversations.execution.dispatch.handle import RunHandle
from conversations.execution.opening import stamp
from conversations.execution.recording.outcome import done
from conversations.execution.recovery import MAX_ATTEMPTS
from conversations.models import Run
from core.database import database_step
from engine import events as ev
from engine.log.base import Entry
from tests.conversations.execution.killed import answered, claimed, said, sweep, types
from tests.conversations.parts import SILENT, Parts, reload, take


async def test_it_works(life, parts, caller):
    async def killed(before: Parts) -> Run:
        attempt = await claimed(before, caller)
        said(attempt, "Once ", "upon ")
        return attempt.run

    run = await life(killed)
    row = await sweep(parts, run)
    events = await parts.events(run)

    assert types(events) == [
        *("run_started", "typing", "usage", "typing", "timeline", "error", "done")
    ]
    assert (row.status, row.error["code"]) == ("interrupted", "run_interrupted")
    assert row.message.content == "Once upon "
    assert (row.usage["source"], row.last_seq) == ("estimated", events[-1].seq)
    assert row.usage["inputTokens"] > 0 and row.usage["outputTokens"] > 0


async def test_an_interrupted_run_says_when_its_first_token_came(life, parts, caller):
    async def killed(before: Parts) -> Run:
        attempt = await claimed(before, caller)
        attempt.timing.begun -= 0.25
        said(attempt, "Once ")
        said(attempt, "upon ")
        return attempt.run

    run = await life(killed)
    left = await database_step(reload, run)
    row = await sweep(parts, run)
    events = await parts.events(run)

    told = [event.ttft_ms for event in events if isinstance(event, ev.Token)]
    assert told[0] >= 250 and told[1:] == [None]
    assert row.usage["ttftMs"] == events[-1].metrics.ttft_ms == told[0]
    assert (row.usage["tokensPerSecond"], events[-1].metrics.tokens_per_second) == (None, None)
    assert row.started_at == left.started_at  # its own work, not that of recovery
    assert row.first_token_at - row.started_at == timedelta(milliseconds=told[0])


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
        attempt = await claimed(before, caller)
        said(attempt)
        return attempt.run

    run = await life(killed)
    row = await sweep(parts, run)

    assert (row.status, row.attempt) == ("completed", 2)
    assert types(await parts.events(run)).count("typing") == 2  # begun once, ended once


async def test_a_run_that_was_claimed_and_lost_its_log_is_taken_up_too(life, parts, caller):
    async def killed(before: Parts) -> Run:
        attempt = await claimed(before, caller)
        await before.log.erase(attempt.run.pk)
        return attempt.run

    row = await sweep(parts, await life(killed))
    assert (row.status, row.attempt) == ("completed", 2)


async def test_a_run_does_not_kill_its_process_for_ever(life, parts, caller):
    async def killed(before: Parts) -> Run:
        run = await before.accept(caller)
        for _ in range(MAX_ATTEMPTS):
            await database_step(take, run)
        return run

    row = await sweep(parts, await life(killed))
    assert (row.status, row.error["code"]) == ("interrupted", "run_interrupted")


async def test_an_outcome_without_done_is_the_outcome(life, parts, caller):
    async def killed(before: Parts) -> Run:
        attempt = await claimed(before, caller)
        answered(attempt)
        return attempt.run

    run = await life(killed)
    row = await sweep(parts, run)
    events = await parts.events(run)

    assert types(events)[-2:] == ["message_complete", "done"]
    assert (row.status, row.message.content) == ("completed", "All of it")
    assert row.usage["source"] == "provider"
    assert events[-1].metrics.total_ms == events[-2].usage.latency_ms


async def test_what_the_database_lost_is_stored_from_the_log(life, parts, caller):
    async def killed(before: Parts) -> Run:
        attempt = await claimed(before, caller)
        answered(attempt)
        attempt.append(done(attempt.transcript))
        return attempt.run

    run = await life(killed)
    before = await parts.events(run)
    row = await sweep(parts, run)

    assert (row.status, row.message.content) == ("completed", "All of it")
    assert row.last_seq == before[-1].seq
    assert await parts.events(run) == before


async def test_a_run_that_the_database_has_as_waiting_is_stored_from_the_log(life, parts, caller):
    """It lost more than one commit; the next message of the conversation must not wait for ever."""

    async def killed(before: Parts) -> Run:
        attempt = await claimed(before, caller)
        answered(attempt)
        attempt.append(done(attempt.transcript))
        waits = {"status": "queued", "attempt": 0, "started_at": None}
        await database_step(Run.objects.filter(pk=attempt.run.pk).update, **waits)
        return attempt.run

    run = await life(killed)
    before = await parts.events(run)
    await parts.recovery.sweep()
    row = await sweep(parts, run)

    assert (row.status, row.message.content) == ("completed", "All of it")
    assert await parts.events(run) == before


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
            attempt = await claimed(before, caller)
            said(attempt, "Once ")
            runs.append(attempt.run)
        return runs[1]

    await life(killed)
    path = parts.folder / f"{runs[0].pk}.jsonl"
    path.write_bytes(b'{"type":"token","seq":1}\n')
    row = await sweep(parts, runs[1])

    assert row.status == "interrupted"
    assert runs[0].pk in caplog.text


async def test_what_is_written_while_a_run_is_taken_over_is_kept(parts, caller, monkeypatch):
    """By a process that is slow but alive."""
    attempt = await claimed(parts, caller)
    said(attempt, "Once ")
    read = parts.log.read

    async def read_and_fall_behind(run_id: str, after: int = 0) -> list[Entry]:
        batch = await read(run_id, after)
        if not batch and attempt.transcript.token_count == 1:
            attempt.append(ev.Token(content="upon", index=1))
        return batch

    monkeypatch.setattr(parts.log, "read", read_and_fall_behind)
    row = await sweep(parts, attempt.run)
    assert (row.message.content, row.status) == ("Once upon", "interrupted")


async def test_an_outcome_that_was_written_while_it_was_taken_over_is_the_outcome(parts, caller):
    attempt = await claimed(parts, caller)
    read = await parts.transcript(attempt.run)
    answered(attempt)
    later = await database_step(take, await database_step(reload, attempt.run))
    await parts.runner.execute(later, RunHandle(later.run), read)
    row = await parts.ended(attempt.run)
    assert (row.message.content, row.status) == ("All of it", "completed")
    assert types(await parts.events(attempt.run)).count("done") == 1


async def test_it_sweeps_by_itself_until_it_is_stopped(parts, caller, settings):
    settings.CLAW_RUN_LEASE = 0.05
    parts.recovery.start()
    run = await parts.accept(caller)
    row = await asyncio.wait_for(parts.ended(run), 5)
    await parts.recovery.stop()

    assert row.status == "completed"
