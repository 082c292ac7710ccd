"""Runs that wait, scaled out: they hold no job, and a wake makes one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.caller import Caller
from conversations.execution.queue.dispatcher import QueueDispatcher, enqueue
from conversations.execution.queue.worker import Worker
from conversations.execution.waiting import wake
from conversations.models import Run
from core.database import database_step
from tests.conversations.execution.asking import Desk, ask, scripted
from tests.conversations.execution.queued import QueuedParts, jobs
from tests.conversations.parts import reload


@pytest.fixture
async def working(
    queued: QueuedParts, desk: Desk, settings: Any
) -> AsyncIterator[Callable[[], Worker]]:
    """`working()`: a worker whose agents have the desk's tools."""
    settings.CLAW_RUN_LEASE = 1
    runner = queued.new_runner(providers=scripted(ask()), open_toolbox=desk.open_for)
    queued.dispatcher = QueueDispatcher(runner, queued.signals)
    queued.recovery = queued.new_recovery()
    workers: list[Worker] = []

    def start() -> Worker:
        workers.append(Worker(queued.dispatcher, queued.recovery, 10))
        workers[-1].start()
        return workers[-1]

    await queued.dispatcher.start()
    yield start
    await queued.dispatcher.drain(0)
    for worker in workers:
        await worker.stop()
    await queued.dispatcher.stop()


async def waits(parts: QueuedParts, run: Run) -> Run:
    """The run's row, once it waits and its job is gone."""
    await parts.reach(run, "run_waiting")
    await no_jobs()
    return await database_step(reload, run)


async def no_jobs() -> None:
    """Return when the queue is empty."""
    async with asyncio.timeout(20):
        while await database_step(jobs):  # noqa: ASYNC110 - the queue tells us nothing
            await asyncio.sleep(0.01)


async def test_it_works(
    queued: QueuedParts, caller: Caller, desk: Desk, working: Callable[[], Worker]
) -> None:
    working()
    run = await queued.start(caller)
    row = await waits(queued, run)
    assert (row.status, row.attempt) == ("waiting", 1)

    desk.decisions["toolu_1"] = "yes"
    woken = await asyncio.gather(*(database_step(wake, run.pk, enqueue) for _ in range(3)))
    assert sum(one is not None for one in woken) == 1
    row = await queued.ended(run)
    assert (row.status, row.attempt, row.message.content) == ("completed", 2, "Hello")
    assert desk.done == ["toolu_1"]
    await no_jobs()


async def test_a_job_too_many_does_not_wake_it(
    queued: QueuedParts, caller: Caller, desk: Desk, working: Callable[[], Worker]
) -> None:
    """A worker that dies between the wait and the end of its job leaves one, for example."""
    working()
    run = await queued.start(caller)
    await waits(queued, run)
    await database_step(enqueue, [run])
    await no_jobs()
    row = await database_step(reload, run)
    assert (row.status, row.attempt, desk.asked) == ("waiting", 1, 1)


async def test_the_rescue_of_lost_runs_leaves_it_alone_until_it_expires(
    queued: QueuedParts, caller: Caller, desk: Desk, working: Callable[[], Worker]
) -> None:
    working()
    run = await queued.start(caller)
    await waits(queued, run)
    await asyncio.sleep(0.8)  # several looks
    assert (await database_step(reload, run)).attempt == 1

    desk.expires_at = past = timezone.now() - timedelta(seconds=1)
    await database_step(Run.objects.filter(pk=run.pk).update, waits_until=past)
    assert (await queued.ended(run)).status == "completed"
    (tool,) = (await queued.transcript(run)).tools
    assert (tool.result, tool.is_error) == ("It expired.", True)


async def test_it_is_cancelled_from_a_process_without_a_worker(
    queued: QueuedParts, caller: Caller, working: Callable[[], Worker]
) -> None:
    working()
    run = await queued.start(caller)
    row = await waits(queued, run)
    await QueueDispatcher(queued.runner, queued.signals).cancel(row)
    row = await queued.ended(run)
    assert (row.status, row.usage["outputTokens"], row.stop) == ("cancelled", 5, {})
