"""`conversations.execution.waiting`: a run that waits is a row and a log, until it is woken."""

import asyncio
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from agents.caller import Caller
from conversations import access
from conversations.execution.enqueue import no_queue
from conversations.execution.waiting import MAX_WAIT, wake, wake_expired, wake_to_stop
from conversations.models import Run
from core.database import database_step
from engine.events import Pending
from engine.log.base import Entry
from tests.conversations.execution.asking import (
    Desk,
    ask,
    asking,
    saying,
    scripted,
    waiting,
    waits,
    woken,
    work,
)
from tests.conversations.parts import QUICK, Parts, reload


async def test_it_works(parts: Parts, caller: Caller, desk: Desk) -> None:
    run = await waiting(parts, caller, desk)

    transcript = await parts.transcript(run)
    assert (run.status, run.attempt, run.finished_at) == ("waiting", 1, None)
    assert transcript.status == "waiting"
    assert transcript.pending == [Pending(kind="question", id="toolu_1")]
    assert run.waits_until == desk.expires_at
    assert not parts.dispatcher.busy(run.pk)

    desk.decisions["toolu_1"] = "yes"
    assert await woken(parts, run) is not None
    row = await parts.ended(run)
    transcript = await parts.transcript(run)
    assert (row.status, row.attempt, row.message.content) == ("completed", 2, "Hello")
    assert [tool.result for tool in transcript.tools] == ["yes"]
    assert (transcript.pending, desk.done) == ([], ["toolu_1"])
    assert (row.waits_until, row.woken) == (None, False)


async def test_the_calls_that_need_nobody_are_made_at_once_and_once(
    parts: Parts, caller: Caller, desk: Desk
) -> None:
    run = await waiting(parts, caller, desk, scripted(ask(), work(), ask("toolu_3")))
    pending = [call.id for call in (await parts.transcript(run)).pending]
    assert (desk.done, sorted(pending)) == (["toolu_2"], ["toolu_1", "toolu_3"])

    desk.decisions = {"toolu_1": "yes", "toolu_3": "no"}
    await woken(parts, run)
    await parts.ended(run)
    assert sorted(desk.done) == ["toolu_1", "toolu_2", "toolu_3"]


async def test_a_wake_too_many_waits_again_and_two_are_one(
    parts: Parts, caller: Caller, desk: Desk
) -> None:
    run = await waiting(parts, caller, desk)
    seen = len(await parts.events(run, lambda event: event.type == "run_waiting"))
    both = await asyncio.gather(woken(parts, run), woken(parts, run))
    assert [again is None for again in both].count(True) == 1
    await parts.events(run, lambda event: event.seq > seen and event.type == "run_waiting")
    await parts.settled()
    row = await database_step(reload, run)
    assert (row.status, row.attempt, desk.done) == ("waiting", 2, [])

    desk.decisions["toolu_1"] = "yes"
    await woken(parts, run)
    assert (await parts.ended(run)).status == "completed"
    assert await woken(parts, run) is None


async def test_a_decision_in_the_moment_of_waiting_is_not_lost(
    parts: Parts, caller: Caller, desk: Desk
) -> None:
    """The watcher sees what is asked before the row says that the run waits."""
    asking(parts, desk)
    held = parts.recorder.enqueue
    run = await parts.start(caller)
    await parts.reach(run, "typing")
    assert await database_step(wake, run.pk, held) is None  # the row is marked, not submitted
    desk.decisions["toolu_1"] = "yes"
    row = await asyncio.wait_for(parts.ended(run), 10)
    assert (row.status, desk.done) == ("completed", ["toolu_1"])


async def test_a_watcher_stays_connected_and_gets_the_rest(
    parts: Parts, caller: Caller, desk: Desk
) -> None:
    asking(parts, desk)
    run = await parts.start(caller)
    watching = asyncio.create_task(parts.events(run))
    await waits(parts, run)
    assert not watching.done()
    desk.decisions["toolu_1"] = "yes"
    await woken(parts, run)
    events = await watching
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.status for event in events if event.type == "typing"] == [
        *("start", "stop", "start", "stop")
    ]


async def test_the_next_message_waits_behind_it(parts: Parts, caller: Caller, desk: Desk) -> None:
    asking(parts, desk)
    run = await parts.start(caller, conversation_id="abc")
    await waits(parts, run)
    following = await parts.start(caller, QUICK, conversation_id="abc")
    await parts.settled()
    assert (await database_step(reload, following)).status == "queued"

    await parts.dispatcher.cancel(await database_step(reload, run))
    assert (await parts.ended(run)).status == "cancelled"
    await parts.dispatcher.cancel(following)


async def test_it_is_cancelled_while_it_waits_and_billed(
    parts: Parts, caller: Caller, desk: Desk
) -> None:
    run = await waiting(parts, caller, desk)
    await parts.dispatcher.cancel(run)
    row = await parts.ended(run)
    assert (row.status, row.message.status) == ("cancelled", "cancelled")
    assert (row.usage["inputTokens"], row.usage["outputTokens"]) == (10, 5)
    assert (await parts.transcript(run)).pending == []
    assert desk.done == []
    await parts.dispatcher.cancel(row)  # harmless


async def test_a_wake_and_a_cancel_at_once_end_it_once(
    parts: Parts, caller: Caller, desk: Desk
) -> None:
    run = await waiting(parts, caller, desk)
    desk.proceed.clear()
    desk.decisions["toolu_1"] = "yes"
    await asyncio.gather(woken(parts, run), parts.dispatcher.cancel(run))
    row = await asyncio.wait_for(parts.ended(run), 10)
    assert row.status == "cancelled"
    events = await parts.events(run)
    assert [event.type for event in events].count("done") == 1


async def test_it_survives_a_restart_and_is_not_taken_for_dead(
    tmp_path: Path, transactional_db: None, caller: Caller, desk: Desk
) -> None:
    before = asking(Parts(tmp_path / "runs"), desk)
    run = await before.start(caller)
    await waits(before, run)
    await before.log.aclose()

    async with Parts(tmp_path / "runs") as after:
        asking(after, desk, saying())
        for _ in range(3):
            await after.recovery.sweep()
        row = await database_step(reload, run)
        assert (row.status, row.attempt) == ("waiting", 1)
        desk.decisions["toolu_1"] = "yes"
        await woken(after, run)
        row = await after.ended(run)
        assert (row.status, row.message.content, desk.done) == ("completed", "Hello", ["toolu_1"])


async def test_a_wake_that_was_not_submitted_is_found_by_the_sweep(
    parts: Parts, caller: Caller, desk: Desk
) -> None:
    run = await waiting(parts, caller, desk)
    desk.decisions["toolu_1"] = "yes"
    await database_step(wake, run.pk, no_queue)  # and the process died here
    await parts.recovery.sweep()
    assert (await parts.ended(run)).status == "completed"


async def test_a_stop_of_a_dead_process_is_kept(parts: Parts, caller: Caller, desk: Desk) -> None:
    run = await waiting(parts, caller, desk)
    await database_step(wake_to_stop, run.pk, {}, no_queue)
    await parts.recovery.sweep()
    assert (await parts.ended(run)).status == "cancelled"


async def test_it_expires(parts: Parts, caller: Caller, desk: Desk) -> None:
    run = await waiting(parts, caller, desk)
    await parts.recovery.sweep()
    assert (await database_step(reload, run)).status == "waiting"

    desk.expires_at = past = timezone.now() - timedelta(seconds=1)
    await database_step(Run.objects.filter(pk=run.pk).update, waits_until=past)
    await parts.recovery.sweep()
    row = await parts.ended(run)
    (tool,) = (await parts.transcript(run)).tools
    assert (row.status, tool.result, tool.is_error) == ("completed", "It expired.", True)
    assert await database_step(wake_expired, no_queue) == []


async def test_no_wait_is_longer_than_its_log_is_kept(
    parts: Parts, caller: Caller, desk: Desk
) -> None:
    asking(parts, desk)
    desk.expires_at = timezone.now() + timedelta(days=365)
    row = await waits(parts, await parts.start(caller))
    assert row.waits_until <= timezone.now() + MAX_WAIT


async def test_the_time_of_a_wait_does_not_count(
    parts: Parts, caller: Caller, desk: Desk, settings
) -> None:
    settings.CLAW_RUN_TIMEOUT = 0.6
    run = await waiting(parts, caller, desk)
    await asyncio.sleep(0.7)
    desk.decisions["toolu_1"] = "yes"
    await woken(parts, run)
    ended = await parts.ended(run)
    assert ended.status == "completed"
    assert ended.usage["latencyMs"] < 600
    assert ended.started_at == run.started_at


async def test_the_time_before_a_wait_counts(
    parts: Parts, caller: Caller, desk: Desk, settings
) -> None:
    run = await waiting(parts, caller, desk)
    worked = (await parts.transcript(run)).worked_ms
    assert worked > 0
    settings.CLAW_RUN_TIMEOUT = worked / 1000
    desk.decisions["toolu_1"] = "yes"
    await woken(parts, run)
    row = await parts.ended(run)
    assert (row.status, row.error["code"]) == ("failed", "upstream_timeout")


async def test_it_holds_no_file(parts: Parts, caller: Caller, desk: Desk) -> None:
    run = await waiting(parts, caller, desk)
    assert parts.log.open_runs() == []
    assert isinstance(await parts.log.last(run.pk), Entry)


async def test_a_run_that_waits_again_and_again_is_no_crash(
    parts: Parts, caller: Caller, desk: Desk
) -> None:
    """Attempts that ended in a wait do not count against those that a run may crash."""
    run = await waiting(parts, caller, desk)
    for _ in range(4):
        seen = (await parts.transcript(run)).last_seq
        await woken(parts, run)
        await parts.events(
            run, lambda event, seen=seen: event.seq > seen and event.type == "run_waiting"
        )
        await parts.settled()
    row = await database_step(reload, run)
    assert (row.status, row.attempt) == ("waiting", 5)
    # The process dies after the claim, before the next attempt has written anything.
    await database_step(
        Run.objects.filter(pk=run.pk).update, status="running", attempt=6, woken=False
    )
    desk.decisions["toolu_1"] = "yes"
    await parts.recovery.sweep()
    assert (await parts.ended(run)).status == "completed"
    assert desk.done == ["toolu_1"]


async def test_a_tool_that_had_begun_is_not_made_again_after_a_crash(
    tmp_path: Path, transactional_db: None, caller: Caller, desk: Desk
) -> None:
    """The decision was there and the tool under way: it may have done its work."""
    before = asking(Parts(tmp_path / "runs"), desk)
    run = await before.start(caller)
    await waits(before, run)
    desk.decisions["toolu_1"] = "yes"
    desk.proceed.clear()
    await woken(before, run)
    await desk.begun.wait()
    kill(before)

    async with Parts(tmp_path / "runs") as after:
        asking(after, desk, saying())
        await after.recovery.sweep()
        row = await after.ended(run)
    assert (row.status, row.error["code"]) == ("interrupted", "run_interrupted")
    assert desk.done == ["toolu_1"]


def kill(parts: Parts) -> None:
    """Nothing that this process still does reaches anybody."""
    for handle in parts.dispatcher.handles():
        assert handle.task is not None
        handle.task.cancel()


async def test_it_is_listed_as_unfinished(parts: Parts, caller: Caller, desk: Desk) -> None:
    asking(parts, desk)
    await waits(parts, await parts.start(caller))
    assert (await database_step(access.count_unfinished))["waiting"] == 1
