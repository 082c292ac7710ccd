"""Moves one run's events from its log to one socket."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from conversations.models import FINAL, Run
from conversations.runs.find import stored_run
from conversations.runs.read import read_snapshot
from conversations.transports.cursor import LEFT, Cursor
from engine.errors import Unavailable
from engine.events import Batch
from engine.log.base import HistoryLost, Log, LogError, UnknownRun
from wire.encoder import Encoder

logger = logging.getLogger(__name__)


class Pump:
    """A cursor and a task. It keeps no queue: a slow socket just reads the log later."""

    __slots__ = ("_cursor", "_ended", "_log", "_send", "_task", "_write", "run")

    def __init__(
        self,
        log: Log,
        run: Run,
        after: int,
        encoder: Encoder,
        *,
        send: Callable[[bytes], Awaitable[None]],
        write: Callable[[list[bytes]], bool] | None,
        ended: Callable[["Pump", bool], None],
    ) -> None:
        self.run, self._log = run, log
        self._cursor = Cursor(encoder, after)
        self._send, self._ended = send, ended
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
            done = await self._follow_to_end()
            for data in self._cursor.encoder.close(None if done else LEFT):
                await self._send(data)
        except OSError:
            return  # the client is gone: its socket ends by itself
        self._ended(self, done)

    async def _follow_to_end(self) -> bool:
        """Send the run until it is over. False if the rest can be followed only later."""
        try:
            while True:
                try:
                    await self._follow()
                except HistoryLost:
                    await self._show(self.run)
                else:
                    return True
        except UnknownRun:
            return await self._show_what_is_left()
        except LogError:
            logger.warning("run %s cannot be followed", self.run.pk, exc_info=True)
            return False

    async def _show_what_is_left(self) -> bool:
        """The log is gone for good, with the run or after its time: then the socket's other runs
        go on. False if it may come back."""
        try:
            run = await stored_run(self.run)
            if run is not None and run.status not in FINAL:
                return False
            if run is not None:
                await self._show(run)
        except Unavailable:
            return False
        return True

    async def _show(self, run: Run) -> None:
        for data in self._cursor.show(await read_snapshot(self._log, run)):
            await self._send(data)

    async def _follow(self) -> None:
        push = self._pass_on if self._write is not None else None
        async with aclosing(self._log.follow(self.run.pk, self._cursor.after, push)) as batches:
            async for entries in batches:
                for data in self._cursor.encode(entries):
                    await self._send(data)

    def _pass_on(self, batch: Batch) -> bool:
        """Straight to the socket, in the moment when the log has them. False if the socket cannot
        take them now: then the task sends them, and waits."""
        if self._write is None:
            return False
        cursor, last = self._cursor, batch[2]
        pieces = cursor.encoder.events(batch)
        if pieces and not self._write(pieces):
            cursor.refuse(pieces, last)
            return False
        cursor.after = last
        return True
