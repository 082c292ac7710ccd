"""`conversations.wiring` and `conversations.runs`: a serving process' parts, and its doors."""

import asyncio
import shutil
from contextlib import aclosing

import pytest

from accounts.database import database_step
from conversations import runs, wiring
from conversations.execution.job import stamp, started_event
from conversations.journal_lock import JournalBusy, JournalLock
from conversations.models import Run
from conversations.transports.api import ask_and_wait
from engine.errors import ClawError
from engine.events import type_of
from tests.conversations.parts import ENDLESS, QUICK, Parts, reload
from tests.conversations.parts import ask as store
from wire.native import ChatRequest


@pytest.fixture
async def services(tmp_path, settings, transactional_db):
    """The parts of a serving process, as `serve` starts and stops them."""
    settings.CLAW_DATA_DIR = tmp_path / "runs"
    yield await wiring.start()
    await wiring.stop(0)


async def ask(caller, text: str = QUICK, **fields) -> Run:
    return (await runs.start(caller, ChatRequest(message=text, **fields))).run


async def types(run: Run, after: int = 0) -> list[str]:
    async with aclosing(runs.follow(run.pk, after)) as batches:
        return [type_of(entry.data) async for batch in batches for entry in batch]


async def until(run: Run, type_: str) -> None:
    async with aclosing(runs.follow(run.pk)) as batches:
        async for batch in batches:
            if any(entry.type == type_ for entry in batch):
                return


async def code(awaitable) -> str:
    with pytest.raises(ClawError) as raised:
        await awaitable
    return raised.value.code


async def test_it_works(services, caller):
    run = await ask(caller, client_message_id="m-1")
    assert (await types(run))[-2:] == ["message_complete", "done"]
    assert await runs.find(caller, run.pk) == run
    described = await runs.describe(await runs.find(caller, run.pk))
    assert (described["status"], described["content"]) == ("completed", "Hello there")
    assert await ask(caller, client_message_id="m-1") == run


async def test_outside_of_a_serving_process_there_is_nothing():
    with pytest.raises(RuntimeError, match="serve"):
        wiring.services()


async def test_a_second_process_is_refused(services, tmp_path):
    with pytest.raises(JournalBusy):
        await JournalLock(tmp_path / "runs").acquire(0)


async def test_p4_what_was_left_is_taken_up_at_start(caller, tmp_path, settings):
    settings.CLAW_DATA_DIR = tmp_path / "runs"
    before = Parts(settings.CLAW_DATA_DIR)
    run = await before.accept(caller)
    await before.log.aclose()

    await wiring.start()
    try:
        assert (await types(run))[-1] == "done"
    finally:
        await wiring.stop(0)
    assert (await database_step(reload, run)).status == "completed"


async def test_p8_what_runs_at_the_end_is_interrupted_and_kept(caller, tmp_path, settings):
    settings.CLAW_DATA_DIR = tmp_path / "runs"
    await wiring.start()
    run = await ask(caller, ENDLESS)
    await until(run, "token")
    await wiring.stop(0.05)

    row = await database_step(reload, run)
    assert (row.status, bool(row.message.content)) == ("interrupted", True)


async def test_a_message_may_interrupt_the_one_before_it(services, caller):
    first = await ask(caller, ENDLESS, conversation_id="abc")
    waiting = await ask(caller, QUICK, conversation_id="abc")
    await until(first, "token")
    last = await ask(caller, QUICK, conversation_id="abc", if_busy="interrupt")

    assert (await types(first))[-2:] == ["cancelled", "done"]
    assert await types(waiting) == ["run_started", "cancelled", "done"]
    assert (await types(last))[-2:] == ["message_complete", "done"]


async def test_p20_a_full_server_says_so_before_anything_is_stored(services, caller, settings):
    settings.CLAW_MAX_ACTIVE_RUNS = 1
    run = await ask(caller, ENDLESS)
    assert await code(ask(caller)) == "unavailable"
    assert await database_step(Run.objects.count) == 1
    await runs.cancel(run)
    await types(run)


async def test_a_position_is_checked(services, caller):
    run = await ask(caller)
    last = len(await types(run))

    assert await runs.check_position(run, last) is True
    assert await runs.check_position(run, last - 1) is False
    assert await code(runs.check_position(run, last + 1)) == "invalid_message"
    await services.log.erase(run.pk)
    assert await code(runs.check_position(run, 0)) == "history_expired"


async def test_a_damaged_log_is_gone_and_the_text_is_not(caller, tmp_path, settings):
    settings.CLAW_DATA_DIR = tmp_path / "runs"
    await wiring.start()
    run = await ask(caller)
    await types(run)
    await wiring.stop(0)
    journal = next((tmp_path / "runs").rglob(f"{run.pk}.jsonl"))
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([lines[0], *lines[2:]]))

    await wiring.start()
    try:
        run = await runs.find(caller, run.pk)
        assert await code(runs.check_position(run, 0)) == "history_expired"
        assert (await runs.snapshot(run))["message"]["content"] == "Hello there"
    finally:
        await wiring.stop(0)


async def test_a_journal_that_cannot_be_written_is_unavailable(services, caller, tmp_path):
    shutil.rmtree(tmp_path / "runs")
    with pytest.raises(ClawError) as raised:
        await ask(caller)
    assert (raised.value.status, raised.value.retry_after) == (503, 1000)


async def test_who_waits_for_an_answer_that_broke_off_is_told_when_to_return(services, caller):
    request = ChatRequest(message=ENDLESS, client_message_id="m-1")
    run = (await runs.start(caller, request)).run
    waiting = asyncio.create_task(ask_and_wait(caller, request))
    for _ in range(20):  # its own steps in the database are fewer, and come first
        await database_step(lambda: None)
    await services.log.aclose()
    with pytest.raises(ClawError) as raised:
        await waiting
    assert (raised.value.code, raised.value.retry_after) == ("unavailable", 1000)
    assert raised.value.details == {"runId": run.pk}


async def test_a_snapshot_outlives_the_log(services, caller):
    run = await ask(caller)
    await types(run)
    run = await runs.find(caller, run.pk)
    kept = await runs.snapshot(run)
    await services.log.erase(run.pk)
    stored = await runs.snapshot(run)

    for frame in (kept, stored):
        assert (frame["lastSeq"], frame["status"]) == (run.last_seq, "completed")
        assert frame["message"]["content"] == "Hello there"
    assert kept["message"] == stored["message"]


async def test_a_run_arrives_when_its_log_begins(services, caller):
    """Its row is there before: a watcher that looked too early would be sent away."""
    first = await ask(caller, conversation_id="abc")
    await types(first)
    async with await runs.arrivals(caller, "abc") as arrivals:
        run = (await database_step(store, caller, conversation_id="abc")).run
        assert await arrivals.look() == []
        services.log.writer(stamp(run), 0).append(started_event(run))
        assert await arrivals.look() == [run]


async def test_what_waits_in_line_keeps_no_process_from_leaving(caller, tmp_path, settings):
    """Nobody here will answer it: who waits for that is told so at once, not after the grace."""
    settings.CLAW_DATA_DIR = tmp_path / "runs"
    await wiring.start()
    first = await ask(caller, ENDLESS, conversation_id="abc")
    await until(first, "token")
    request = ChatRequest(message=QUICK, conversation_id="abc")
    waiting = asyncio.create_task(ask_and_wait(caller, request))
    async with await runs.arrivals(caller, "abc") as arrivals:
        while arrivals.position <= first.user_message_id:
            await arrivals.next()
    await wiring.announce_shutdown(0)
    await runs.cancel(first)
    stopping = asyncio.create_task(wiring.stop(60))

    assert await code(waiting) == "unavailable"
    async with asyncio.timeout(30):
        await stopping


async def test_everything_of_a_conversation_is_cancelled_together(services, caller):
    began = [await ask(caller, ENDLESS, conversation_id="abc") for _ in range(3)]
    await until(began[0], "token")

    assert set(await runs.cancel_conversation(caller, "abc")) == {run.pk for run in began}
    for run in began:
        assert (await types(run))[-2:] == ["cancelled", "done"]


async def test_p39_what_is_erased_is_gone_and_stopped(services, caller):
    run = await ask(caller, ENDLESS, conversation_id="abc")
    await until(run, "token")
    watched = asyncio.create_task(types(run))
    await runs.erase(run.conversation)
    assert (await watched)[-2:] == ["cancelled", "done"]

    assert await database_step(Run.objects.count) == 0
    assert await services.log.last(run.pk) is None
    async with asyncio.timeout(5):
        while services.dispatcher.busy(run.pk):
            await database_step(lambda: None)


async def test_p24_charlie_gets_404(services, caller, foreign_caller):
    run = await ask(caller, conversation_id="abc")
    await types(run)

    assert await code(runs.find(foreign_caller, run.pk)) == "run_not_found"
    for door in (runs.latest, runs.cancel_conversation, runs.arrivals):
        assert await code(door(foreign_caller, "abc")) == "conversation_not_found"
