"""`conversations.process.wiring` and `conversations.runs`: a serving process."""

import asyncio
import shutil
from contextlib import aclosing
from dataclasses import replace

import pytest

from conversations.execution.opening import stamp, started_event
from conversations.models import Run
from conversations.process import wiring
from conversations.process.journal_lock import JournalBusy, JournalLock
from conversations.process.services import services_of
from conversations.runs.cancel import cancel_conversation
from conversations.runs.erase import erase_conversation
from conversations.runs.find import find_arrivals, find_run, latest_run
from conversations.runs.positions import check_position, is_kept
from conversations.runs.read import describe_run, read_snapshot
from conversations.runs.start import start_run
from conversations.transports.asking import _message
from conversations.transports.rest.api import ask_and_wait
from core.database import database_step
from engine.errors import ClawError
from engine.events import type_of
from tests.conversations.parts import ENDLESS, QUICK, Parts, reload
from tests.conversations.parts import ask as store
from wire.errors import status_of
from wire.native import ChatRequest


async def ask(services, caller, text: str = QUICK, **fields) -> Run:
    return (await start_run(services, caller, ChatRequest(message=text, **fields))).run


async def types(services, run: Run, after: int = 0) -> list[str]:
    async with aclosing(services.log.follow(run.pk, after)) as batches:
        return [type_of(entry.data) async for batch in batches for entry in batch]


async def until(services, run: Run, type_: str) -> None:
    async with aclosing(services.log.follow(run.pk)) as batches:
        async for batch in batches:
            if any(entry.type == type_ for entry in batch):
                return


async def code(awaitable) -> str:
    with pytest.raises(ClawError) as raised:
        await awaitable
    return raised.value.code


async def test_it_works(services, caller):
    run = await ask(services, caller, client_message_id="m-1")
    assert (await types(services, run))[-2:] == ["message_complete", "done"]
    assert await find_run(caller, run.pk) == run
    described = await describe_run(services.log, await find_run(caller, run.pk))
    assert (described.status, described.content) == ("completed", "Hello there")
    assert await ask(services, caller, client_message_id="m-1") == run


async def test_outside_of_a_serving_process_there_is_nothing():
    with pytest.raises(RuntimeError, match="serve"):
        services_of({"type": "http"})


async def test_a_second_process_is_refused(services, tmp_path):
    with pytest.raises(JournalBusy):
        await JournalLock(tmp_path / "runs").acquire(0)


async def test_p4_what_was_left_is_taken_up_at_start(caller, tmp_path, settings):
    settings.CLAW_DATA_DIR = tmp_path / "runs"
    before = Parts(settings.CLAW_DATA_DIR)
    run = await before.accept(caller)
    await before.log.aclose()

    services = await wiring.start()
    try:
        assert (await types(services, run))[-1] == "done"
    finally:
        await services.stop(0)
    assert (await database_step(reload, run)).status == "completed"


async def test_p8_what_runs_at_the_end_is_interrupted_and_kept(caller, tmp_path, settings):
    settings.CLAW_DATA_DIR = tmp_path / "runs"
    services = await wiring.start()
    run = await ask(services, caller, ENDLESS)
    await until(services, run, "token")
    await services.stop(0.05)

    row = await database_step(reload, run)
    assert (row.status, bool(row.message.content)) == ("interrupted", True)


async def test_a_message_may_interrupt_the_one_before_it(services, caller):
    first = await ask(services, caller, ENDLESS, conversation_id="abc")
    waiting = await ask(services, caller, QUICK, conversation_id="abc")
    await until(services, first, "token")
    last = await ask(services, caller, QUICK, conversation_id="abc", if_busy="interrupt")

    assert (await types(services, first))[-2:] == ["cancelled", "done"]
    assert await types(services, waiting) == ["run_started", "cancelled", "done"]
    assert (await types(services, last))[-2:] == ["message_complete", "done"]


async def test_p20_a_full_server_says_so_before_anything_is_stored(services, caller, settings):
    settings.CLAW_MAX_ACTIVE_RUNS = 1
    run = await ask(services, caller, ENDLESS)
    assert await code(ask(services, caller)) == "unavailable"
    assert await database_step(Run.objects.count) == 1
    await services.dispatcher.cancel(run)
    await types(services, run)


async def test_a_position_is_checked(services, caller):
    run = await ask(services, caller)
    last = len(await types(services, run))

    assert await check_position(services.log, run, last) is True
    assert await check_position(services.log, run, last - 1) is False
    assert await code(check_position(services.log, run, last + 1)) == "invalid_message"
    await services.log.erase(run.pk)
    assert await code(check_position(services.log, run, 0)) == "history_expired"


async def test_a_damaged_log_is_gone_and_the_text_is_not(caller, tmp_path, settings):
    settings.CLAW_DATA_DIR = tmp_path / "runs"
    services = await wiring.start()
    run = await ask(services, caller)
    await types(services, run)
    await services.stop(0)
    journal = next((tmp_path / "runs").rglob(f"{run.pk}.jsonl"))
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([lines[0], *lines[2:]]))

    services = await wiring.start()
    try:
        run = await find_run(caller, run.pk)
        assert await code(check_position(services.log, run, 0)) == "history_expired"
        assert (await read_snapshot(services.log, run)).message.content == "Hello there"
    finally:
        await services.stop(0)


async def test_an_archived_agent_answers_nobody_until_it_is_restored(services, caller):
    archived = replace(caller, agent=replace(caller.require_agent(), archived=True))
    with pytest.raises(ClawError) as raised:
        await ask(services, archived)
    assert (raised.value.code, status_of(raised.value)) == ("agent_archived", 409)
    assert (await ask(services, caller)).pk


async def test_a_journal_that_cannot_be_written_is_unavailable(services, caller, tmp_path):
    shutil.rmtree(tmp_path / "runs")
    with pytest.raises(ClawError) as raised:
        await ask(services, caller)
    assert (status_of(raised.value), raised.value.retry_after) == (503, 1000)


async def test_who_waits_for_an_answer_that_broke_off_is_told_when_to_return(services, caller):
    request = ChatRequest(message=ENDLESS, client_message_id="m-1")
    run = (await start_run(services, caller, request)).run
    waiting = asyncio.create_task(ask_and_wait(services, caller, request))
    for _ in range(20):  # its own steps in the database are fewer, and come first
        await database_step(lambda: None)
    await services.log.aclose()
    with pytest.raises(ClawError) as raised:
        await waiting
    assert (raised.value.code, raised.value.retry_after) == ("unavailable", 1000)
    assert raised.value.details == {"runId": run.pk}


async def test_a_snapshot_outlives_the_log(services, caller):
    run = await ask(services, caller)
    await types(services, run)
    run = await find_run(caller, run.pk)
    kept = await read_snapshot(services.log, run)
    await services.log.erase(run.pk)
    stored = await read_snapshot(services.log, run)

    for frame in (kept, stored):
        assert (frame.last_seq, frame.status) == (run.last_seq, "completed")
        assert frame.message.content == "Hello there"
    assert kept.message == stored.message


async def test_a_run_arrives_when_its_log_begins(services, caller):
    """Its row is there before: a watcher that looked too early would be sent away."""
    first = await ask(services, caller, conversation_id="abc")
    await types(services, first)
    async with await find_arrivals(services, caller, "abc") as arrivals:
        run = (await database_step(store, caller, conversation_id="abc")).run
        assert await arrivals.look() == []
        services.log.writer(stamp(run), 0).append(started_event(run))
        assert await arrivals.look() == [run]


async def test_what_waits_in_line_keeps_no_process_from_leaving(caller, tmp_path, settings):
    """Nobody here will answer it: who waits for that is told so at once, not after the grace."""
    settings.CLAW_DATA_DIR = tmp_path / "runs"
    services = await wiring.start()
    first = await ask(services, caller, ENDLESS, conversation_id="abc")
    await until(services, first, "token")
    request = ChatRequest(message=QUICK, conversation_id="abc")
    waiting = asyncio.create_task(ask_and_wait(services, caller, request))
    async with await find_arrivals(services, caller, "abc") as arrivals:
        while arrivals.position <= first.user_message_id:
            await arrivals.next(5)
    await services.announce_shutdown(0)
    await services.dispatcher.cancel(first)
    stopping = asyncio.create_task(services.stop(60))

    assert await code(waiting) == "unavailable"
    async with asyncio.timeout(30):
        await stopping


async def test_everything_of_a_conversation_is_cancelled_together(services, caller):
    began = [await ask(services, caller, ENDLESS, conversation_id="abc") for _ in range(3)]
    await until(services, began[0], "token")

    assert set(await cancel_conversation(services.dispatcher, caller, "abc")) == {
        run.pk for run in began
    }
    for run in began:
        assert (await types(services, run))[-2:] == ["cancelled", "done"]


async def test_p39_what_is_erased_is_gone_and_stopped(services, caller):
    run = await ask(services, caller, ENDLESS, conversation_id="abc")
    await until(services, run, "token")
    watched = asyncio.create_task(types(services, run))
    await erase_conversation(services, run.conversation)
    assert (await watched)[-2:] == ["cancelled", "done"]

    assert await database_step(Run.objects.count) == 0
    assert await services.log.last(run.pk) is None
    async with asyncio.timeout(5):
        while services.dispatcher.busy(run.pk):
            await database_step(lambda: None)


async def test_p24_charlie_gets_404(services, caller, foreign_caller):
    run = await ask(services, caller, conversation_id="abc")
    await types(services, run)

    assert await code(find_run(foreign_caller, run.pk)) == "run_not_found"
    for asking in (
        latest_run(foreign_caller, "abc"),
        cancel_conversation(services.dispatcher, foreign_caller, "abc"),
        find_arrivals(services, foreign_caller, "abc"),
    ):
        assert await code(asking) == "conversation_not_found"


class TestTheJournalsOfOneOrganisation:
    """They have room for a number of bytes."""

    @pytest.fixture(autouse=True)
    def small(self, settings, tmp_path):
        settings.CLAW_DATA_DIR = tmp_path / "runs"
        settings.CLAW_MAX_JOURNAL_BYTES_PER_ORGANISATION = 1

    async def test_the_log_of_an_ended_run_goes_early_and_its_text_stays(self, services, caller):
        first = await ask(services, caller, client_message_id="m-1")
        await types(services, first)
        await types(services, await ask(services, caller))
        assert await code(check_position(services.log, first, 0)) == "history_expired"
        described = await describe_run(services.log, await find_run(caller, first.pk))
        assert described.content == "Hello there"
        assert await ask(services, caller, client_message_id="m-1") == first

    async def test_running_answers_leave_no_room_for_more(self, services, caller, foreign_caller):
        run = await ask(services, caller, ENDLESS)
        with pytest.raises(ClawError) as refused:
            await ask(services, caller)
        assert (refused.value.code, refused.value.retry_after) == ("unavailable", 1000)
        assert await database_step(Run.objects.count) == 1
        await types(services, await ask(services, foreign_caller))
        await services.dispatcher.cancel(run)
        await types(services, run)
        assert (await types(services, await ask(services, caller)))[-1] == "done"

    async def test_a_restart_forgets_nothing(self, caller, foreign_caller, settings):
        settings.CLAW_MAX_JOURNAL_BYTES_PER_ORGANISATION = 1024 * 1024
        services = await wiring.start()
        own, foreign, gone = [
            await ask(services, one) for one in (caller, foreign_caller, foreign_caller)
        ]
        for run in (own, foreign, gone):
            await types(services, run)
        await services.stop(0)
        await database_step(Run.objects.filter(pk=gone.pk).delete)

        settings.CLAW_MAX_JOURNAL_BYTES_PER_ORGANISATION = 1
        services = await wiring.start()
        try:
            assert not await is_kept(services.log, gone)
            await ask(services, caller)
            assert not await is_kept(services.log, own)
            assert await is_kept(services.log, foreign)
            assert services.log.without_owner() == []
        finally:
            await services.stop(0)

    async def test_who_waits_for_a_whole_answer_gets_what_is_stored(self, services, caller):
        request = ChatRequest(message=QUICK, client_message_id="m-1")
        accepted = await start_run(services, caller, request)
        await types(services, accepted.run)
        assert (await _message(services, accepted)).content == "Hello there"
        await services.log.erase(accepted.run.pk)
        assert (await _message(services, accepted)).content == "Hello there"
