"""Work that goes on beside everything else until its owner stops it: sweeps, polls, receivers."""

import asyncio
import contextvars
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Background:
    """The tasks of one owner."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, *works: Coroutine[Any, Any, None]) -> None:
        """Begin each work in a task of its own. It inherits no context: it would keep the database
        connection and the trace of whoever started it."""
        for work in works:
            task = asyncio.create_task(work, context=contextvars.Context())
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    async def stop(self, patience: float | None = None) -> bool:
        """Cancel the tasks, and wait until they have ended, at most `patience` seconds. Returns
        whether all have."""
        for task in self._tasks:
            task.cancel()
        if not self._tasks:
            return True
        _, left = await asyncio.wait(self._tasks, timeout=patience)
        return not left

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background work has ended", exc_info=error)
