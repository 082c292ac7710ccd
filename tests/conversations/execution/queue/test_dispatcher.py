"""`queue.dispatcher`: runs as jobs, and stops that reach them in other processes."""

import asyncio

import pytest
from django.db import OperationalError, connection, transaction

from conversations.execution.acceptance import Asked, accept
from conversations.execution.dispatch.executor import Executor
from conversations.execution.dispatch.handle import stop_of
from conversations.execution.queue.dispatcher import QueueDispatcher, enqueue
from conversations.execution.waiting import wake_to_stop
from conversations.models import Run
from conversations.signals.channel import Signals
from core.database import database_step
from engine.errors import ClawError
from engine.transcript import Transcript
from tests.conversations.execution.queued import QueuedParts, jobs
from tests.conversations.parts import ENDLESS, QUICK, ask, reload
from wire.native import ChatRequest

REVOKED = ClawError("key_revoked", "This key has been revoked.")


def perform(parts: QueuedParts, run: Run, written: Transcript | None = None) -> asyncio.Task[None]:
    """Carry out a run as a worker's job does."""
    return asyncio.create_task(parts.dispatcher.perform(run, written))


async def test_it_works(queued, caller):
    run = await queued.start(caller, QUICK)
    assert await database_step(jobs) == [(run.pk, "todo")]
    await perform(queued, run)
    assert (await queued.ended(run)).status == "completed"


async def test_a_job_commits_with_its_run(queued, caller):
    def store(*requests: ChatRequest) -> list[str]:
        asked = [Asked(caller, caller.agent, request) for request in requests]
        return [accepted.run.pk for accepted in accept(asked, enqueue)]

    def fail() -> None:
        with transaction.atomic():
            store(ChatRequest(message="Hello"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database_step(fail)
    assert await database_step(jobs) == []
    made = await database_step(store, ChatRequest(message="a"), ChatRequest(message="b"))
    assert await database_step(jobs) == [(run, "todo") for run in made]


async def test_the_end_of_a_run_makes_the_job_of_the_next(queued, caller):
    first, second, _ = [await queued.accept(caller, conversation_id="abc") for _ in range(3)]
    await perform(queued, first)
    assert await database_step(jobs) == [(second.pk, "todo")]


async def test_a_run_that_waits_is_cancelled_at_once(queued, caller):
    run = await queued.start(caller)
    await queued.dispatcher.cancel(run)
    row = await queued.ended(run)
    assert (row.status, row.stop) == ("cancelled", None)


async def test_p10_a_stop_reaches_a_run_in_another_process(queued, caller):
    run = await queued.start(caller, ENDLESS)
    working = perform(queued, run)
    await queued.reach(run, "token")
    elsewhere = Signals()
    await elsewhere.start()
    await QueueDispatcher(queued.runner, elsewhere).cancel(await database_step(reload, run))
    await working
    await elsewhere.stop()

    row = await queued.ended(run)
    assert (row.status, row.stop) == ("cancelled", {})
    assert row.message.content


async def test_p10_a_stop_whose_signal_is_lost_is_found_in_the_row(queued, caller):
    run = await queued.start(caller, ENDLESS)
    working = perform(queued, run)
    await queued.reach(run, "token")
    await database_step(wake_to_stop, run.pk, stop_of(REVOKED), enqueue)
    await working
    row = await queued.ended(run)
    assert (row.status, row.error["code"]) == ("failed", "key_revoked")


async def test_a_stop_that_came_before_the_worker_is_obeyed(queued, caller):
    run = await queued.start(caller, ENDLESS)
    await database_step(wake_to_stop, run.pk, {}, enqueue)
    await perform(queued, await database_step(reload, run))
    row = await queued.ended(run)
    assert (row.status, row.message.content) == ("cancelled", "")


async def test_p8_a_process_that_leaves_gives_its_runs_away(queued, caller):
    run = await queued.start(caller, ENDLESS)
    working = perform(queued, run)
    await queued.reach(run, "token")
    await queued.dispatcher.drain(0)
    await working

    row = await database_step(reload, run)
    assert (row.status, row.stop) == ("running", None)
    assert await database_step(jobs) == [(run.pk, "todo")] * 2  # the worker's ends with it
    written = await queued.transcript(run)
    assert written.token_count and written.outcome is None
    assert not queued.dispatcher.room(caller.principal.organization_id)


async def test_p8_what_was_taken_while_the_process_leaves_is_given_back(queued, caller):
    run = await queued.accept(caller)
    queued.dispatcher.draining = True
    await perform(queued, run)
    assert await database_step(jobs) == [(run.pk, "todo")]
    assert (await database_step(reload, run)).status == "queued"


async def test_a_run_that_another_worker_has_is_not_touched(queued, caller):
    run = await queued.start(caller)
    stale = await database_step(reload, run)
    await perform(queued, run)
    await perform(queued, stale)
    row = await queued.ended(run)
    assert (row.status, row.attempt) == ("completed", 1)


async def test_a_run_is_carried_out_here_once(queued, caller):
    run = await queued.start(caller, ENDLESS)
    working = perform(queued, run)
    await queued.reach(run, "token")
    await perform(queued, await database_step(reload, run))
    assert queued.dispatcher.busy(run.pk)
    Executor.stop_here(queued.dispatcher, run.pk)
    await working
    assert (await queued.ended(run)).attempt == 1


def test_a_queue_that_cannot_be_asked_is_a_database_that_is_away(transactional_db, caller):
    """What the connector makes of it would be a defect to everybody else."""
    run = ask(caller).run
    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        enqueue([run])


def away(*_: object) -> None:
    raise OperationalError("server closed the connection unexpectedly")


def test_nothing_is_enqueued_for_nobody(transactional_db, caller):
    before = jobs()
    enqueue([])
    ask(caller)  # without a queue
    assert jobs() == before
