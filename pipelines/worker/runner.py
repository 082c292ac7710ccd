"""Carries one pipeline out: reads, lets the stages decide, delivers, and stores checkpoints."""

import asyncio
import logging
import time
from contextlib import aclosing

from django.conf import settings

from core.database import database_step
from engine.errors import Unavailable
from pipelines.access import failures, inbox, ownership
from pipelines.access.ownership import Seen
from pipelines.definition import Definition
from pipelines.destinations.opening import open_destination
from pipelines.flow.flow import Flow
from pipelines.models import Pipeline
from pipelines.sources.base import MAX_READ, Source
from pipelines.worker.bell import Bell
from pipelines.worker.lane import Lane

log = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 1.0
"""Between two checkpoints of a pipeline in which something happens."""
TICK_SECONDS = 0.1
TRIM_EVERY = 60
"""Checkpoints between two looks for what can be forgotten."""
BROKEN = "The pipeline has stopped because of an error of the server. Start it again."
PUT_OFF = 1.0
"""Seconds after the database or the feed did not answer."""


class Over(Exception):
    """There is nothing more to do here. `lost`: another process has the pipeline, or it is gone."""

    def __init__(self, *, lost: bool = False) -> None:
        super().__init__()
        self.lost = lost


class Runner:
    """One pipeline, as long as this process owns it."""

    def __init__(self, row: Pipeline, definition: Definition, source: Source | None) -> None:
        self._row, self._source = row, source
        self.flow = Flow(
            row.pk,
            definition.transforms,
            len(definition.destinations),
            drop=row.on_error == Pipeline.OnError.DROP,
        )
        self._lanes = [
            Lane(
                number,
                self.flow,
                open_destination(each, row.organization_id),
                each.config.retry_policy,
                block=row.on_error == Pipeline.OnError.BLOCK,
            )
            for number, each in enumerate(definition.destinations)
        ]
        self._seen = Seen(row.attempt, row.status, row.stopping, row.version, row.appended)
        self._bell = Bell()
        self._stored_at = time.monotonic()
        self._renewed_at = time.monotonic()
        self._retried: list[str] = []
        self._problem: str | None = None
        self._checkpoints = 0

    def notice(self, seen: Seen | None) -> None:
        """The pipeline's row is like this now; None: it is gone."""
        self._seen = seen or self._seen._replace(attempt=-1)
        self._bell.ring()

    async def run(self) -> None:
        """Work until the pipeline is paused, stopped, changed or lost. A cancel stores a last
        checkpoint and lets another process go on."""
        stopped = lost = False
        try:
            kept = await database_step(ownership.stored, self._row)
            self.flow.restore(kept.snapshot, kept.measured.counters)
            await self._work()
        except* Over as group:
            lost = any(isinstance(each, Over) and each.lost for each in group.exceptions)
            stopped = self._row.stopping and self.flow.empty and not lost
        except* Exception:  # whatever it is, the pipeline must not be begun again and again
            log.exception("pipeline %s has failed", self._row.pk)
            await database_step(ownership.fail, self._row, BROKEN)
        finally:
            for lane in self._lanes:
                await lane.aclose()
            if not lost:
                await self._leave(stopped)

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep())
            group.create_task(self._tick())
            for lane in self._lanes:
                group.create_task(lane.run(self._bell))
            if self._row.stopping:
                self.flow.flush()
                group.create_task(self._finish())
                return
            group.create_task(self._read_inbox())
            if self._source is not None:
                group.create_task(self._read_source(self._source))

    async def _leave(self, stopped: bool) -> None:
        try:
            if await self._commit():
                await database_step(ownership.release, self._row, stopped=stopped)
        except Unavailable:
            log.warning("pipeline %s is left as its last checkpoint has it", self._row.pk)

    # --- reading

    async def _read_inbox(self) -> None:
        while True:
            await self._room()
            read = self.flow.position.get("inbox", 0)
            if self._seen.appended <= read:
                await self._bell.heard()
                continue
            try:
                items, position = await database_step(inbox.read, self._row.pk, read, MAX_READ)
            except Unavailable:
                await asyncio.sleep(PUT_OFF)
                continue
            self.flow.take(items, "inbox", position)
            self._bell.ring()

    async def _read_source(self, source: Source) -> None:
        while True:
            try:
                async with aclosing(source.items(self.flow.position.get("source"))) as reads:
                    async for items, position, problem in reads:
                        self.flow.take(items, "source", position)
                        self._problem = problem or self._problem
                        self._bell.ring()
                        await self._room()
            except Unavailable:
                log.warning("the source of pipeline %s is read later", self._row.pk, exc_info=True)
                await asyncio.sleep(PUT_OFF)

    async def _room(self) -> None:
        """Wait until more may be read: the destinations have taken enough, and checkpoints are
        stored."""
        while self._behind() or not self.flow.room:
            await self._bell.heard()

    def _behind(self) -> bool:
        """Whether no checkpoint could be stored for so long that the pipeline may be lost."""
        return time.monotonic() - self._stored_at > settings.CLAW_RUN_LEASE / 2

    # --- what goes on beside it

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.flow.tick()
            self._bell.ring()

    async def _finish(self) -> None:
        """End it once the destinations have everything."""
        while not self.flow.empty:
            await self._bell.heard()
        raise Over

    async def _keep(self) -> None:
        """Store checkpoints, until somebody wants something else of the pipeline."""
        while True:
            self._check()
            await asyncio.sleep(CHECKPOINT_SECONDS)
            try:
                await self._take_up()
                if not await self._commit():
                    raise Over(lost=True)
            except Unavailable:
                log.warning("checkpoint of pipeline %s is put off", self._row.pk, exc_info=True)

    def _check(self) -> None:
        seen, row = self._seen, self._row
        if seen.attempt != row.attempt:
            raise Over(lost=True)
        if seen.version != row.version or seen.stopping != row.stopping:
            raise Over
        if seen.status != Pipeline.Status.RUNNING and not seen.stopping:
            raise Over

    async def _take_up(self) -> None:
        """Let failures go on that somebody wants to be tried again."""
        found = await database_step(ownership.to_retry, self._row, self._retried)
        for failure_id, failure in found:
            self.flow.retry(failure)
            self._retried.append(failure_id)

    async def _commit(self) -> bool:
        """Store a checkpoint if there is something new; returns whether this process still owns the
        pipeline. Raises `Unavailable`."""
        problem, self._problem = self._problem or self._problems(), None
        if not self.flow.changed and problem is None:
            return await self._renew()
        news, self.flow.failures = self.flow.failures, []
        retried, self._retried = self._retried, []
        self.flow.changed, measured = False, self.flow.measured()
        kept = ownership.Kept(self.flow.snapshot(), measured)
        try:
            mine = await database_step(
                ownership.commit,
                self._row,
                kept,
                failed=news,
                retried=retried,
                error=problem,
            )
        except Unavailable:
            self.flow.failures = news + self.flow.failures
            self._retried, self.flow.changed = retried + self._retried, True
            raise
        self._stored_at = self._renewed_at = time.monotonic()
        await self._trim()
        return mine

    async def _renew(self) -> bool:
        self._stored_at = time.monotonic()
        if self._stored_at - self._renewed_at < settings.CLAW_RUN_LEASE / 3:
            return True
        self._renewed_at = self._stored_at
        return await database_step(ownership.renew, self._row)

    def _problems(self) -> str | None:
        """The latest error of a destination that has not been stored yet."""
        found = None
        for lane in self._lanes:
            found, lane.problem = lane.problem or found, None
        return found

    async def _trim(self) -> None:
        self._checkpoints += 1
        await database_step(inbox.trim, self._row.pk)
        if self._checkpoints % TRIM_EVERY == 0:
            await database_step(failures.trim, self._row.pk)
