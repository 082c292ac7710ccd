"""Work that goes on beside everything else until its owner stops it: sweeps, polls, receivers."""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from engine.errors import Unavailable

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


async def repeat(
    step: Callable[[], Awaitable[object]], seconds: float, log: logging.Logger, put_off: str
) -> None:
    """Take a step again and again: at once after one that returns something true, else after
    `seconds`. A step that raises `Unavailable` is put off as well, and `log` says so in the words
    `put_off`."""
    while True:
        try:
            while await step():
                pass
        except Unavailable:
            log.warning(put_off, exc_info=True)
        await asyncio.sleep(seconds)
