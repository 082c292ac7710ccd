"""A worker's connection to the queue in PostgreSQL: it outlives an outage, and takes over from
dead workers.

`docs/decisions/0007-jobs-in-postgresql.md` has the reason of each thing that differs from
procrastinate."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from django.db import connection
from procrastinate import App, connector, exceptions
from procrastinate.contrib.django import app as django_app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.jobs import Job, Notification, Status
from procrastinate.manager import JobManager, NotificationCallback
from procrastinate.psycopg_connector import PsycopgConnector
from psycopg import InterfaceError, OperationalError
from psycopg_pool import AsyncConnectionPool

from core.tasks.batching import Batcher, at_most

log = logging.getLogger(__name__)

T = TypeVar("T")
Row: TypeAlias = dict[str, Any]

RETRY_SECONDS = 0.5
MAX_TOGETHER = 10  # jobs taken at once: the rest of a crowd is for the other workers
# The pool gives up early: it doubles its pauses otherwise, and each question tries again anyway.
POOL: dict[str, Any] = {"min_size": 1, "max_size": 8, "timeout": 2.0, "reconnect_timeout": 1.0}

# Jobs of workers whose heart has stopped, or that were taken in an answer which never arrived.
# One statement, so a job is given away once however many look for it.
RESCUE = """
UPDATE procrastinate_jobs
   SET status = 'todo', attempts = attempts + 1, scheduled_at = NULL, worker_id = NULL
 WHERE id IN (
    SELECT job.id
      FROM procrastinate_jobs job LEFT JOIN procrastinate_workers worker ON worker.id = worker_id
     WHERE job.status = 'doing' AND job.queue_name = %s
       AND (worker.id IS NULL
            OR worker.last_heartbeat < now() - make_interval(secs => %s)
            OR job.id = ANY(%s))
       FOR UPDATE OF job SKIP LOCKED)
RETURNING id
"""
# Without what procrastinate's own statement does for locks: our jobs have none.
TAKE = """
WITH candidate AS (
    SELECT id
      FROM procrastinate_jobs
     WHERE status = 'todo' AND queue_name = ANY(%(queues)s)
       AND (scheduled_at IS NULL OR scheduled_at <= now())
     ORDER BY priority DESC, id
     LIMIT %(most)s
       FOR UPDATE SKIP LOCKED)
UPDATE procrastinate_jobs job
   SET status = 'doing', worker_id = %(worker)s
  FROM candidate
 WHERE job.id = candidate.id
RETURNING job.*
"""
FINISH = """
DELETE FROM procrastinate_jobs job
 USING unnest(%(jobs)s::bigint[], %(workers)s::bigint[]) AS mine (id, worker_id)
 WHERE job.id = mine.id AND job.worker_id = mine.worker_id AND job.status = 'doing'
"""
RETRY = """
UPDATE procrastinate_jobs
   SET status = 'todo', attempts = attempts + 1, scheduled_at = %(at)s
 WHERE id = %(job)s AND worker_id = %(worker)s AND status = 'doing'
"""
ELSEWHERE = """
SELECT EXISTS (
    SELECT FROM procrastinate_jobs
     WHERE status = 'doing' AND queue_name = %s AND args->>'run_id' = %s AND id <> %s)
"""
LIVING = """
SELECT count(*) FROM procrastinate_workers
 WHERE last_heartbeat >= now() - make_interval(secs => %s)
"""
DOING = "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = %s"


class PatientConnector(PsycopgConnector):
    """Asks again until the database is back. procrastinate's worker would give up, and stop its
    heartbeat while its runs go on.

    So a statement may be carried out twice. That matters only when jobs are taken: `Worker` finds
    jobs that were taken in vain. And so the pool looks at its connections only after an error, and
    not before each statement."""

    def __init__(self) -> None:
        super().__init__(pool_factory=_unchecked_pool, kwargs=connector_params(), **POOL)

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        ask = super().execute_query_async
        await self._insist(lambda: ask(query, **arguments))

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        ask = super().execute_query_one_async
        return await self._insist(lambda: ask(query, **arguments))

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        ask = super().execute_query_all_async
        return await self._insist(lambda: ask(query, **arguments))

    async def listen_notify(
        self, on_notification: connector.Notify, channels: Iterable[str]
    ) -> None:
        listen = super().listen_notify
        await self._insist(lambda: listen(on_notification, channels))

    async def _insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await ask()
            except exceptions.ConnectorException as error:
                if not isinstance(error.__cause__, OperationalError | InterfaceError):
                    raise
                log.warning("the queue does not answer: %s", error.__cause__)
            await self.pool.check()
            await asyncio.sleep(RETRY_SECONDS)


class BatchedJobManager(JobManager):
    """Takes and finishes many jobs in one statement, where procrastinate needs one for each.

    `room` says how many more jobs are welcome: none when the process leaves, while the heart still
    beats for those under way. Only jobs that are still this worker's are finished: procrastinate
    would finish those that were given to another worker, too."""

    def __init__(self, connector_: connector.BaseConnector, room: Callable[[], int]) -> None:
        super().__init__(connector_)
        self._room = room
        self._taken: deque[Job] = deque()
        self._announced = False  # a job, since the last question
        self._no_more = False  # the last question has left nothing
        self._taking: Batcher[dict[str, Any], list[dict[str, Any]]] = Batcher(
            self._take, at_most(1)
        )
        self._finishing: Batcher[Job, None] = Batcher(self._finish, len)

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        async def announced(*, channel: str, notification: Notification) -> None:
            self._announced = True
            await on_notification(channel=channel, notification=notification)

        await super().listen_for_jobs(on_notification=announced, queues=queues)

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """See `JobManager.fetch_job`. The worker asks until there is none, then forgets what was
        announced before that."""
        if self._taken:
            return self._taken.popleft()
        if self._no_more and not self._announced:
            self._no_more = False
            return None
        self._announced = True
        while self._announced and not self._taken and (most := min(MAX_TOGETHER, self._room())) > 0:
            rows = await self._taking.do({"queues": queues, "worker": worker_id, "most": most})
            self._taken.extend(map(Job.from_row, sorted(rows, key=lambda row: row["id"])))
            self._no_more = 0 < len(rows) < most
        return self._taken.popleft() if self._taken else None

    async def _take(self, wanted: list[Row]) -> list[list[Row]]:
        """One at a time, with a rest between two, in which more of a crowd is announced."""
        self._announced = False
        return [await self.connector.execute_query_all_async(TAKE, **one) for one in wanted]

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        await self._finishing.do(job)

    async def _finish(self, jobs: list[Job]) -> list[None]:
        await self.connector.execute_query_async(
            FINISH, jobs=[job.id for job in jobs], workers=[job.worker_id for job in jobs]
        )
        return [None] * len(jobs)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        await self.connector.execute_query_async(
            RETRY, job=job.id, worker=job.worker_id, at=retry_at
        )


def worker_app(room: Callable[[], int]) -> App:
    """The tasks, over connections of the worker's own; see `BatchedJobManager` for `room`."""
    connections = PatientConnector()
    made = django_app.with_connector(connections)
    made.job_manager = BatchedJobManager(made.connector, room)
    return made


def rescue(queue: str, lease: float, lost: list[int]) -> list[int]:
    """Offer jobs again whose worker has given no sign for `lease` seconds, and those in `lost`;
    returns their ids. Synchronous."""
    with connection.cursor() as cursor:
        cursor.execute(RESCUE, [queue, lease, lost])
        return [row[0] for row in cursor.fetchall()]


def doing(worker_id: int) -> set[int]:
    """The jobs that a worker has taken. Synchronous."""
    with connection.cursor() as cursor:
        cursor.execute(DOING, [worker_id])
        return {row[0] for row in cursor.fetchall()}


def count_living(lease: float) -> int:
    """The number of workers, on all machines, that have given a sign within `lease` seconds.
    Synchronous."""
    with connection.cursor() as cursor:
        cursor.execute(LIVING, [lease])
        return int(cursor.fetchone()[0])


def elsewhere(queue: str, run_id: str, job_id: int) -> bool:
    """Whether another job for the run is being done, by any worker. Synchronous."""
    with connection.cursor() as cursor:
        cursor.execute(ELSEWHERE, [queue, run_id, job_id])
        return bool(cursor.fetchone()[0])


def _unchecked_pool(**arguments: Any) -> AsyncConnectionPool:
    """procrastinate's pool, without its question before each statement."""
    return AsyncConnectionPool(**{**arguments, "check": None})
