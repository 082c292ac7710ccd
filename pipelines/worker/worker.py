"""Carries out the pipelines that nobody owns, in every process that carries out runs."""

import logging

from agents.access.agents import agent_ids
from conversations.feed.feed import Feed
from core.database import database_step
from core.tasks.background import Background, repeat
from pipelines.access import ownership
from pipelines.definition import Definition, definition_of
from pipelines.models import Pipeline
from pipelines.sources.base import Source
from pipelines.sources.configs import AgentExecution, Schedule
from pipelines.sources.runs import RunSource
from pipelines.sources.schedule import ScheduleSource
from pipelines.worker.runner import Runner

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
"""Between two looks at the rows of the pipelines that this process has, of one query together."""
CLAIM_SECONDS = 1.0
"""Between two looks for pipelines that nobody owns."""
MAX_PIPELINES = 200
"""Of one process."""


class Worker:
    """The pipelines of this process."""

    def __init__(self, feed: Feed, *, shared: bool) -> None:
        """`shared`: there are other processes, which may own pipelines."""
        self._feed = feed
        self._left_over = not shared  # what an earlier process held is free
        self._runners: dict[str, Runner] = {}
        self._background, self._running = Background(), Background()

    def start(self) -> None:
        """Begin to claim pipelines."""
        later = "pipelines are looked for later"
        self._background.start(
            repeat(self._claim, CLAIM_SECONDS, log, later),
            repeat(self._look, LOOK_SECONDS, log, later),
        )

    async def stop(self) -> None:
        """End it; another process, or the next one, goes on with them."""
        await self._background.stop()
        await self._running.stop()

    async def _claim(self) -> None:
        if self._left_over:
            await database_step(ownership.free_all)
            self._left_over = False
        room = MAX_PIPELINES - len(self._runners)
        for row in await database_step(ownership.claim, room):
            self._running.start(self._run(row))

    async def _look(self) -> None:
        runners = dict(self._runners)
        if not runners:
            return
        seen = await database_step(ownership.look, list(runners))
        for pipeline_id, runner in runners.items():
            runner.notice(seen.get(pipeline_id))

    async def _run(self, row: Pipeline) -> None:
        definition = definition_of(row)
        source = await self._source(row, definition)
        runner = self._runners[row.pk] = Runner(row, definition, source)
        try:
            await runner.run()
        finally:
            del self._runners[row.pk]

    async def _source(self, row: Pipeline, definition: Definition) -> Source | None:
        """The source; None for one that is the inbox alone."""
        config = definition.source
        if isinstance(config, Schedule):
            return ScheduleSource(config, row.pk)
        if isinstance(config, AgentExecution):
            names = config.agent_ids
            ids = await database_step(agent_ids, row.organization_id, names)
            wanted = ids if names else None
            return RunSource(config, self._feed, row.organization_id, wanted, row.start_from)
        return None


def begin(feed: Feed, shared: bool) -> Worker:
    """A worker that has begun."""
    worker = Worker(feed, shared=shared)
    worker.start()
    return worker
