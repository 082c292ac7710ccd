"""`conversations.execution.dispatch.inline`: runs as tasks of this process, stopped and drained."""

import asyncio
import contextvars
from dataclasses import replace

from django.db import DataError

from conversations.execution.acceptance import Acceptance, Asked
from conversations.execution.dispatch.inline import InlineDispatcher
from conversations.execution.opening import stamp, started_event
from conversations.execution.recording.outcome import interrupted
from conversations.execution.recording.recorder import Recorder
from conversations.execution.runner import Runner
from conversations.execution.setup.prompt import Prompts
from core.database import database_step
from engine.errors import ClawError, Unavailable
from engine.events import Event
from tests.conversations.execution.asking import OneProvider
from tests.conversations.parts import ENDLESS, QUICK, SILENT, reload
from tests.engine.scripted import Scripted
from wire.native import ChatRequest

MARK = contextvars.ContextVar("MARK", default="none")


def types(events: list[Event]) -> list[str]:
    return [event.type for event in events if event.type not in ("token", "thinking")]


async def test_it_works(parts, caller):
    run = await parts.start(caller, QUICK)
    events = await parts.events(run)

    assert types(events) == [
        *("run_started", "typing", "usage", "step", "typing", "timeline", "message_complete"),
        "done",
    ]
    row = await database_step(reload, run)
    assert (row.status, row.message.content, row.last_seq) == (
        *("completed", "Hello there"),
        events[-1].seq,
    )
    assert not parts.dispatcher.busy(run.pk)


async def test_a_run_is_carried_out_once(parts, caller):
    run = await parts.start(caller, QUICK)
    parts.dispatcher.submit(run)
    await parts.events(run)
    parts.dispatcher.submit(await database_step(reload, run))
    await parts.dispatcher.drain(5)

    assert (await database_step(reload, run)).attempt == 1


async def claimed_by(parts, caller, text=QUICK):
    """A run as the acceptance of this process stores it."""
    accepting = Acceptance(claimed=parts.dispatcher.claimed)
    agent = replace(caller.require_agent(), provider="demo", model="demo")
    accepted = await accepting.accept(Asked(caller, agent, ChatRequest(message=text)))
    parts.log.writer(stamp(accepted.run), 0).append(started_event(accepted.run))
    return accepted.run


async def test_a_run_that_was_claimed_as_it_was_stored_is_not_claimed_again(parts, caller):
    run = await claimed_by(parts, caller)
    parts.dispatcher.submit(run)
    row = await parts.ended(run)

    assert (row.status, row.attempt) == ("completed", 1)


async def test_a_run_may_be_stopped_before_it_is_submitted(parts, caller):
    """Another tab may stop the conversation's runs as soon as they are committed."""
    run = await claimed_by(parts, caller, "[[slow]]")
    await parts.dispatcher.cancel(await database_step(reload, run))
    assert parts.dispatcher.busy(run.pk)  # whether it is submitted or not
    parts.dispatcher.submit(run)

    assert (await parts.ended(run)).status == "cancelled"


async def test_a_run_whose_asker_left_before_it_was_submitted_is_found(parts, caller):
    run = await claimed_by(parts, caller)
    await parts.new_recovery().sweep()

    assert (await parts.ended(run)).status == "completed"


async def test_a_run_s_task_inherits_nothing_of_the_request(parts, caller):
    class Noting(Runner):
        async def execute(self, *arguments):
            seen.append(MARK.get())
            return await super().execute(*arguments)

    MARK.set("a request's")
    seen = []
    dispatcher = InlineDispatcher(parts.new_runner(Noting))
    run = await parts.accept(caller, QUICK)
    dispatcher.submit(run)
    await parts.events(run)
    await dispatcher.drain(5)

    assert seen == ["none"]


async def test_the_next_of_a_conversation_begins_when_the_one_before_it_ends(parts, caller):
    runs = [await parts.start(caller, QUICK, conversation_id="abc") for _ in range(3)]
    rows = [await parts.ended(run) for run in runs]

    assert [row.status for row in rows] == ["completed"] * 3
    assert rows[0].finished_at <= rows[1].started_at <= rows[1].finished_at <= rows[2].started_at
    assert (await parts.transcript(runs[2])).started.queued in (1, 2)


async def test_p10_a_run_that_streams_is_cancelled_with_what_it_has(parts, caller):
    run = await parts.start(caller, ENDLESS)
    await parts.reach(run, "token")
    await parts.dispatcher.cancel(run)
    row = await parts.ended(run)

    transcript = await parts.transcript(run)
    assert row.status == row.message.status == "cancelled"
    assert row.message.content == str(transcript.text) != ""
    assert (row.message.stop_reason, row.usage["source"]) == ("cancelled", "estimated")
    assert row.usage["outputTokens"] > 0
    assert transcript.done.reason == "cancelled"


async def test_p10_a_run_is_cancelled_before_its_first_token(parts, caller):
    model = Scripted([asyncio.Event()])  # it never says a word
    parts.dispatcher = InlineDispatcher(parts.new_runner(providers=OneProvider(model)))
    run = await parts.start(caller)
    await model.asked.wait()
    await parts.dispatcher.cancel(await database_step(reload, run))
    events = await parts.events(run)

    assert types(events) == [
        *("run_started", "typing", "usage", "typing", "timeline", "cancelled", "done")
    ]


async def test_a_cancel_before_the_model_is_asked_costs_nothing(parts, caller):
    class Slow(Prompts):
        async def build(self, run, tools, found):
            await asyncio.sleep(60)

    parts.dispatcher = InlineDispatcher(parts.new_runner(prompts=Slow()))
    run = await parts.start(caller, QUICK)
    await parts.reach(run, "typing")
    await parts.dispatcher.cancel(await database_step(reload, run))
    events = await parts.events(run)

    assert types(events) == [*("run_started", "typing", "typing", "timeline", "cancelled", "done")]
    assert events[-1].usage.total_tokens == 0


async def test_a_prompt_that_cannot_be_read_leaves_the_run_to_recovery(parts, caller, caplog):
    class Unread(Prompts):
        async def build(self, run, tools, found):
            raise Unavailable("The database does not answer.")

    dispatcher = InlineDispatcher(parts.new_runner(prompts=Unread()))
    run = await parts.accept(caller, QUICK)
    dispatcher.submit(run)
    await parts.reach(run, "typing")
    await dispatcher.drain(5)

    assert (await database_step(reload, run)).status == "running"
    await parts.recovery.sweep()
    assert (await parts.ended(run)).status == "completed"


async def test_a_run_that_waits_is_cancelled_at_once_without_typing(parts, caller):
    first = await parts.start(caller, ENDLESS, conversation_id="abc")
    second = await parts.start(caller, QUICK, conversation_id="abc")
    third = await parts.start(caller, QUICK, conversation_id="abc")
    await parts.reach(first, "token")

    await parts.dispatcher.cancel(second)
    assert types(await parts.events(second)) == ["run_started", "cancelled", "done"]
    row = await database_step(reload, second)
    assert (row.status, row.last_seq, row.usage["model"]) == ("cancelled", 3, "demo")
    assert (await database_step(reload, third)).status == "queued"  # it is not its turn
    await parts.dispatcher.cancel(first)
    assert (await parts.ended(third)).status == "completed"


async def test_cancelling_while_it_is_claimed_ends_it_once(parts, caller):
    for pauses in range(8):
        run = await parts.start(caller, SILENT)
        for _ in range(pauses):
            await asyncio.sleep(0)
        await parts.dispatcher.cancel(run)
        events = await parts.events(run)

        seen = types(events)
        assert seen[-2:] == ["cancelled", "done"]
        assert seen.count("typing") in (0, 2)
        assert (await database_step(reload, run)).status == "cancelled"


async def test_cancelling_twice_or_too_late_does_no_harm(parts, caller):
    run = await parts.start(caller, ENDLESS)
    await parts.reach(run, "token")
    waiting = await database_step(reload, run)
    await asyncio.gather(*(parts.dispatcher.cancel(run) for _ in range(3)))
    events = await parts.events(run)
    await parts.dispatcher.cancel(run)
    await parts.dispatcher.cancel(waiting)

    assert types(events).count("cancelled") == types(events).count("done") == 1
    assert await parts.events(run) == events


async def test_a_waiting_run_cancelled_twice_at_once_ends_once(parts, caller):
    await parts.start(caller, SILENT, conversation_id="abc")
    run = await parts.start(caller, QUICK, conversation_id="abc")
    copies = [await database_step(reload, run) for _ in range(3)]
    await asyncio.gather(*map(parts.dispatcher.cancel, copies))

    assert types(await parts.events(run)) == ["run_started", "cancelled", "done"]


async def test_the_first_reason_to_stop_counts(parts, caller):
    run = await parts.start(caller, ENDLESS)
    await parts.reach(run, "token")
    await parts.dispatcher.cancel(run, ClawError("key_revoked", "This key has been revoked."))
    await parts.dispatcher.cancel(run)
    row = await parts.ended(run)

    assert (row.status, row.error["code"]) == ("failed", "key_revoked")
    assert row.message.content


async def test_a_waiting_run_may_fail_too(parts, caller):
    await parts.start(caller, SILENT, conversation_id="abc")
    run = await parts.start(caller, QUICK, conversation_id="abc")
    await parts.dispatcher.cancel(run, ClawError("key_revoked", "This key has been revoked."))
    row = await parts.ended(run)

    assert (row.status, row.message.error["code"]) == ("failed", "key_revoked")


async def test_p8_a_drain_lets_short_answers_finish_and_interrupts_the_rest(parts, caller):
    short = await parts.start(caller, QUICK)
    long = await parts.start(caller, ENDLESS)
    await parts.reach(long, "token")
    await parts.dispatcher.drain(0.2)

    assert (await parts.ended(short)).status == "completed"
    row = await parts.ended(long)
    error = interrupted()
    expected = {"code": error.code, "message": error.message, "retryable": True}
    assert (row.status, row.error) == ("interrupted", expected)
    assert row.message.content == str((await parts.transcript(long)).text) != ""
    assert not parts.dispatcher.busy(long.pk)


async def test_a_drained_process_takes_nothing(parts, caller):
    first = await parts.start(caller, SILENT, conversation_id="abc")
    second = await parts.start(caller, QUICK, conversation_id="abc")
    await parts.reach(first, "typing")
    await parts.dispatcher.drain(0)
    third = await parts.start(caller, QUICK)

    assert not parts.dispatcher.busy(third.pk)
    for run in (second, third):
        assert (await database_step(reload, run)).status == "queued"
    assert not parts.dispatcher.room(caller.principal.organization_id)


async def test_what_is_not_claimed_when_it_leaves_goes_on_waiting(parts, caller):
    runs = [await parts.accept(caller, QUICK) for _ in range(3)]
    for run in runs:
        parts.dispatcher.submit(run)
    await parts.dispatcher.drain(0)  # their tasks have not begun

    assert [(await database_step(reload, run)).status for run in runs] == ["queued"] * 3
    assert [(await parts.transcript(run)).outcome for run in runs] == [None] * 3


async def test_it_knows_whose_keys_have_runs(parts, caller, foreign_caller):
    run = await parts.start(caller, SILENT)
    other = await parts.start(foreign_caller, QUICK)
    assert parts.dispatcher.key_owners() == {
        who.principal.key_id: who.principal.organization_id for who in (caller, foreign_caller)
    }
    await parts.ended(other)
    await parts.dispatcher.cancel(run)
    await parts.ended(run)
    await parts.dispatcher.drain(5)
    assert parts.dispatcher.key_owners() == {}


async def test_p20_there_is_room_for_an_organisation_until_it_has_its_share(
    parts, caller, foreign_caller, settings
):
    settings.CLAW_MAX_ACTIVE_RUNS_PER_ORGANISATION, settings.CLAW_MAX_ACTIVE_RUNS = 1, 2
    room = parts.dispatcher.room
    assert room(caller.principal.organization_id)
    run = await parts.start(caller, SILENT)
    assert not room(caller.principal.organization_id)
    assert room(foreign_caller.principal.organization_id)
    await parts.start(foreign_caller, SILENT)
    assert not room("org_third")
    await parts.dispatcher.cancel(run)
    await parts.ended(run)
    await database_step(lambda: None)
    assert room(caller.principal.organization_id)


async def test_what_cannot_be_stored_is_left_to_recovery(parts, caller, caplog):
    run = await parts.start(caller, ENDLESS)
    await parts.reach(run, "token")
    await parts.log.erase(run.pk)  # its writer is fenced
    await parts.dispatcher.drain(5)

    assert (await database_step(reload, run)).status == "running"
    assert "left to recovery" in caplog.text


async def test_a_row_that_the_database_refuses_is_left_to_recovery_and_seen(parts, caller, caplog):
    class Refusing(Recorder):
        async def commit(self, final):
            raise DataError("not this row")

    dispatcher = InlineDispatcher(parts.new_runner(recorder=Refusing()))
    run = await parts.accept(caller, QUICK)
    dispatcher.submit(run)
    await parts.reach(run, "message_complete")
    await dispatcher.drain(5)

    assert "not this row" in caplog.text
    assert not dispatcher.busy(run.pk)
    await parts.recovery.sweep()
    assert (await parts.ended(run)).status == "completed"
