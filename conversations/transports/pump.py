"""Moves one run's events from its log to one socket."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from conversations import runs
from conversations.models import FINAL, Run
from engine.errors import Unavailable
from engine.log.base import HistoryLost, LogError, UnknownRun
from wire.view import View

log = logging.getLogger(__name__)


class Pump:
    """A cursor and a task. It keeps no queue: a slow socket just reads the log later."""

    __slots__ = ("_after", "_ended", "_send", "_snapshot", "_task", "_view", "_write", "run")

    def __init__(
        self,
        run: Run,
        after: int,
        view: View,
        *,
        send: Callable[[bytes], Awaitable[None]],
        write: Callable[[list[bytes]], bool] | None,
        snapshot: Callable[[Run, View], Awaitable[int]],
        ended: Callable[["Pump", bool], None],
    ) -> None:
        self.run = run
        self._after, self._view = after, view
        self._send, self._snapshot, self._ended = send, snapshot, ended
        self._write = write
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; `ended(pump, done)` is called at the end unless it is stopped."""
        self._task = asyncio.create_task(self._pump())

    async def stop(self) -> None:
        """Stop, and wait until it has."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _pump(self) -> None:
        try:
            while True:
                try:
                    await self._follow()
                except HistoryLost:
                    self._after = await self._snapshot(self.run, self._view)
                else:
                    break
        except UnknownRun:
            self._ended(self, await self._show_what_is_left())
        except LogError:
            log.warning("run %s cannot be followed", self.run.pk, exc_info=True)
            self._ended(self, False)
        except OSError:
            pass  # the client is gone: its socket ends by itself
        else:
            self._ended(self, True)

    async def _show_what_is_left(self) -> bool:
        """The log is gone for good, with the run or after its time: then the socket's other runs
        go on. False if it may come back."""
        try:
            run = await runs.as_stored(self.run)
            if run is not None and run.status not in FINAL:
                return False
            if run is not None:
                await self._snapshot(run, self._view)
        except Unavailable:
            return False
        return True

    async def _follow(self) -> None:
        select, send = self._view.select, self._send
        sink = self._pass_on if self._write is not None else None
        async with aclosing(runs.follow(self.run.pk, self._after, sink)) as batches:
            async for batch in batches:
                for seq, _, data in select(batch):
                    await send(data)
                    self._after = seq

    def _pass_on(self, types: list[str], lines: list[bytes], last: int) -> bool:
        """Straight to the socket, in the moment when the log has them. False if the socket cannot
        take them now: then the task sends them, and waits."""
        shown = self._view.texts(types, lines, last)
        if shown and not self._write(shown):
            return False
        self._after = last
        return True
