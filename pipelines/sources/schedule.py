"""Source `schedule`: an item at each of its times.

The position is the last of them (Unix time in ms). Times that passed while the pipeline did not run
are made up by one item, not by all of them."""

import asyncio
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from msgspec import UNSET

from core.http import utc_of_ms
from pipelines.graph.items import Item
from pipelines.sources.base import Read
from pipelines.sources.configs import Schedule

MAX_SLEEP = 60.0
"""Seconds: a clock that is set is noticed then."""


class ScheduleSource:
    """See `Source`."""

    def __init__(self, config: Schedule, pipeline_id: str) -> None:
        self._config, self._pipeline_id = config, pipeline_id

    async def items(self, position: int | None) -> AsyncGenerator[Read, None]:
        """See `Source.items`."""
        if position is None:
            position = _now()
            yield Read([], position)
        while True:
            due = self.following(position)
            await _until(due)
            while (later := self.following(due)) <= _now():
                due = later
            position = due
            name = f"{self._pipeline_id}.{due}"
            data = {"scheduledAt": utc_of_ms(due), **self._config.item}
            yield Read([Item(name, data, _now())], position)

    def following(self, after: int) -> int:
        """The next time after this one."""
        if self._config.every_ms is not UNSET:
            return after - after % self._config.every_ms + self._config.every_ms
        from croniter import croniter

        begin = datetime.fromtimestamp(after / 1000, UTC)
        following: datetime = croniter(str(self._config.cron), begin).get_next(datetime)
        return round(following.timestamp() * 1000)


async def _until(due: int) -> None:
    left = due - _now()
    while left > 0:
        await asyncio.sleep(min(MAX_SLEEP, left / 1000))
        left = due - _now()


def _now() -> int:
    return round(time.time() * 1000)
