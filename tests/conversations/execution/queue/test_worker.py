"""`conversations.execution.queue.worker`: jobs are taken, done, and taken over from the dead."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from django.db import connection

from conversations.execution.queue.database import BatchedJobManager, doing, rescue, worker_app
from conversations.execution.queue.dispatcher import enqueue
from conversations.execution.queue.worker import Worker
from conversations.models import Run
from core.database import database_step
from tests.conversations.execution.queued import QueuedParts, jobs
from tests.conversations.parts import ENDLESS, QUICK, reload

FULL = 100


@pytest.fixture
async def working(queued: QueuedParts, settings: Any) -> AsyncIterator[Callable[[int], Worker]]:
    """`working(2)`: a worker that does two jobs at once."""
    settings.CLAW_RUN_LEASE = 3
    workers: list[Worker] = []

    def start(concurrency: int = FULL) -> Worker:
        workers.append(Worker(queued.dispatcher, queued.recovery, concurrency))
        workers[-1].start()
        return workers[-1]

    yield start
    await queued.dispatcher.drain(0)
    for worker in workers:
        await worker.stop()


async def no_jobs() -> None:
    """Return when the queue is empty."""
    async with asyncio.timeout(20):
        while await database_step(jobs):  # noqa: ASYNC110 - the queue tells us nothing
            await asyncio.sleep(0.01)


def execute(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def attempts() -> int:
    """How often the youngest job was tried. Synchronous."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT attempts FROM procrastinate_jobs ORDER BY id DESC LIMIT 1")
        return cursor.fetchone()[0]


async def test_it_works(queued, caller, working):
    working()
    run = await queued.start(caller, QUICK)
    assert (await queued.ended(run)).status == "completed"
    await no_jobs()


async def test_many_are_done_together_and_each_once(queued, caller, working):
    runs = [await queued.start(caller, QUICK) for _ in range(25)]
    working()
    rows = [await queued.ended(run) for run in runs]
    assert {(row.status, row.attempt) for row in rows} == {("completed", 1)}
    await no_jobs()


async def test_a_conversation_s_runs_come_in_their_order(queued, caller, working):
    working()
    runs = [await queued.start(caller, QUICK, conversation_id="abc") for _ in range(4)]
    rows = [await queued.ended(run) for run in runs]
    assert [row.status for row in rows] == ["completed"] * 4
    ends = [row.finished_at for row in rows]
    assert ends == sorted(ends)
    await no_jobs()


async def test_a_second_job_leaves_a_run_to_the_first(queued, caller, working):
    """Whoever asks makes one, and whoever ends the run before it."""
    run = await queued.start(caller, ENDLESS)
    working()
    await queued.reach(run, "token")
    await database_step(enqueue, [run])
    async with asyncio.timeout(20):
        while not await database_step(attempts):  # noqa: ASYNC110 - the queue tells us nothing
            await asyncio.sleep(0.01)
    assert await database_step(jobs) == [(run.pk, "doing"), (run.pk, "todo")]
    await queued.dispatcher.cancel(await database_step(reload, run))
    row = await queued.ended(run)
    assert (row.status, row.attempt) == ("cancelled", 1)
    await no_jobs()


async def test_it_takes_no_more_than_it_has_room_for(queued, caller, working):
    runs = [await queued.start(caller, ENDLESS) for _ in range(3)]
    working(2)
    for run in runs[:2]:
        await queued.reach(run, "token")
    assert await database_step(jobs) == [
        *((run.pk, "doing") for run in runs[:2]),
        (runs[2].pk, "todo"),
    ]
    await queued.dispatcher.cancel(await database_step(reload, runs[0]))
    await queued.reach(runs[2], "token")


async def test_p8_who_leaves_takes_nothing(queued, caller, working):
    working()
    first = await queued.start(caller, QUICK)
    await queued.ended(first)
    await no_jobs()
    queued.dispatcher.draining = True
    run = await queued.start(caller, QUICK)
    await asyncio.sleep(0)
    assert await database_step(jobs) == [(run.pk, "todo")]


async def test_p4_the_job_of_a_dead_worker_is_taken_over(queued, caller, working):
    run = await queued.start(caller, QUICK)
    await database_step(
        execute,
        "WITH worker AS (INSERT INTO procrastinate_workers (last_heartbeat)"
        " VALUES (now() - interval '1 hour') RETURNING id)"
        " UPDATE procrastinate_jobs SET status = 'doing', worker_id = worker.id FROM worker",
    )
    working()
    assert (await queued.ended(run)).status == "completed"
    await no_jobs()


async def test_the_job_of_an_erased_run_is_forgotten(queued, caller, working):
    run = await queued.start(caller, QUICK)
    await database_step(run.conversation.delete)
    working()
    await no_jobs()
    assert not await database_step(Run.objects.exists)


@pytest.fixture
async def taking(queued: QueuedParts) -> AsyncIterator[BatchedJobManager]:
    """How a worker with a lot of room talks to the queue."""
    app = worker_app(lambda: FULL)
    async with app.open_async():
        assert isinstance(app.job_manager, BatchedJobManager)
        yield app.job_manager


async def take_all(manager: BatchedJobManager, worker_id: int) -> list[Any]:
    """All jobs that there are, as the worker asks for them."""
    taken = []
    while job := await manager.fetch_job(["runs"], worker_id):
        taken.append(job)
    return taken


async def test_jobs_are_taken_in_their_order(queued, caller, taking):
    runs = [await queued.start(caller) for _ in range(12)]
    mine = await taking.register_worker()
    taken = await take_all(taking, mine)
    assert [job.task_kwargs["run_id"] for job in taken] == [run.pk for run in runs]
    assert await database_step(doing, mine) == {job.id for job in taken}


async def test_only_its_own_jobs_are_finished(queued, caller, taking):
    runs = [await queued.start(caller) for _ in range(3)]
    mine, other = await taking.register_worker(), await taking.register_worker()
    taken = await take_all(taking, mine)
    await database_step(
        execute, "UPDATE procrastinate_jobs SET worker_id = %s WHERE id = %s", other, taken[1].id
    )
    await asyncio.gather(*(taking.finish_job(job, "succeeded", True) for job in taken))
    assert await database_step(jobs) == [(runs[1].pk, "doing")]


async def test_what_was_taken_in_vain_is_offered_again(queued, caller, taking):
    run = await queued.start(caller)
    mine = await taking.register_worker()
    (job,) = await take_all(taking, mine)
    assert await database_step(rescue, "runs", 60.0, []) == []
    assert await database_step(rescue, "runs", 60.0, [job.id]) == [job.id]
    assert await database_step(jobs) == [(run.pk, "todo")]
