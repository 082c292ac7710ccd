"""Takes jobs from the queue, in every process that executes runs."""

import asyncio
import logging

import psycopg
from django.conf import settings
from procrastinate.exceptions import ProcrastinateException
from procrastinate.worker import Worker as QueueWorker
from psycopg_pool import PoolTimeout

from conversations import access
from conversations.execution.queue import jobs
from conversations.execution.queue.database import doing, elsewhere, rescue, worker_app
from conversations.execution.queue.dispatcher import QueueDispatcher, enqueue
from conversations.execution.recovery import Recovery
from conversations.execution.waiting import wake_expired
from conversations.models import Run, RunStatus
from core.database import database_step
from core.tasks.background import Background
from core.tasks.batching import Batcher
from engine.errors import Unavailable
from engine.transcript import Transcript

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0  # new jobs are announced; those that are tried again are not
BEATS = 3  # heartbeats in a lease: one may be late
RESTART_SECONDS = 1.0
STOP_SECONDS = 5.0


class Elsewhere(Exception):
    """Another job has the run under way. This one is tried again later."""


class Worker:
    """One worker of this process, and the rescue of others' jobs."""

    def __init__(self, dispatcher: QueueDispatcher, recovery: Recovery, concurrency: int) -> None:
        self._dispatcher, self._recovery = dispatcher, recovery
        self._concurrency = concurrency
        self._worker: QueueWorker | None = None
        self._jobs: set[int] = set()  # being done here
        self._rows: Batcher[str, Run | None] = Batcher(
            lambda run_ids: database_step(access.runs_by_id, run_ids), len
        )
        self._background = Background()
        jobs.Performer.perform = self._perform

    def start(self) -> None:
        """Begin to take jobs."""
        self._background.start(self._work(), self._rescue())

    async def stop(self) -> None:
        """Take no more; jobs that are being done must have ended (`Executor.drain`)."""
        # The queue may be away: then this worker is found dead when its lease has run out.
        await self._background.stop(STOP_SECONDS)

    async def _work(self) -> None:
        while True:
            try:
                await self._take_jobs()
            # Another one has declared it dead, or the database is away.
            except (ProcrastinateException, psycopg.Error, PoolTimeout):
                log.warning("the worker begins anew", exc_info=True)
            await asyncio.sleep(RESTART_SECONDS)

    async def _take_jobs(self) -> None:
        app = worker_app(self._room)
        async with app.open_async():
            app.perform_import_paths()
            self._worker = QueueWorker(
                app,
                queues=[jobs.QUEUE],
                concurrency=self._concurrency,
                install_signal_handlers=False,
                fetch_job_polling_interval=POLL_SECONDS,
                update_heartbeat_interval=settings.CLAW_RUN_LEASE / BEATS,
                stalled_worker_timeout=settings.CLAW_RUN_LEASE,
                delete_jobs="always",
            )
            await self._worker.run()

    def _room(self) -> int:
        return 0 if self._dispatcher.draining else self._concurrency - len(self._jobs)

    async def _rescue(self) -> None:
        """Rescue jobs, in a loop of its own: a job for this would wait behind the runs."""
        missing: set[int] = set()
        while True:
            await asyncio.sleep(settings.CLAW_RUN_LEASE / BEATS)
            try:
                missing = await self._look(missing)
            except Unavailable:  # said by the database step
                # All hearts have stopped with the database: give them time to be heard again.
                await asyncio.sleep(settings.CLAW_RUN_LEASE)

    async def _look(self, missing: set[int]) -> set[int]:
        """Give away jobs that nobody does: those of dead workers, and those that this worker was
        given without knowing (`missing` at the last look, and still). Returns what is missing
        now."""
        mine = self._worker.worker_id if self._worker else None
        taken = await database_step(doing, mine) if mine is not None else set()
        now_missing = taken - self._jobs
        lost = list(now_missing & missing)
        while await database_step(wake_expired, enqueue):
            pass
        for job_id in await database_step(rescue, jobs.QUEUE, settings.CLAW_RUN_LEASE, lost):
            log.warning("job %s has lost its worker", job_id)
        return now_missing

    async def _perform(self, job_id: int, run_id: str) -> None:
        self._jobs.add(job_id)
        try:
            run = await self._rows.do(run_id)
            if run is None:
                return  # its conversation has been deleted
            # A run may have two jobs: its acceptance and the end of the run before it both make
            # one. The second job must take over from a dead worker, but not from the first job.
            here = self._dispatcher.busy(run_id)
            if here or (
                run.status == RunStatus.RUNNING
                and await database_step(elsewhere, jobs.QUEUE, run_id, job_id)
            ):
                raise Elsewhere(run_id)
            # The log of a queued run has only its first event, and taking it over reads it all.
            waited = run.status == RunStatus.QUEUED
            transcript = Transcript() if waited else await self._recovery.prepare(run)
            if transcript is not None:
                await self._dispatcher.perform(run, transcript)
        finally:
            self._jobs.discard(job_id)
