"""The runs that one socket follows."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from conversations.models import Run
from conversations.runs.read import read_snapshot
from conversations.transports.ws.pump import Pump
from engine.log.base import Log
from wire.encoder import Encoder


class FollowedRuns:
    """A pump for each run; a second follow of the same run moves its position."""

    def __init__(
        self,
        log: Log,
        *,
        send: Callable[[bytes], Awaitable[None]],
        write: Callable[[list[bytes]], bool] | None,
        ended: Callable[[Run, bool], None],
    ) -> None:
        self._log = log
        self._send, self._write, self._ended = send, write, ended
        self._pumps: dict[str, Pump] = {}
        self.turn = asyncio.Lock()
        """Held from asking, or looking for what others ask, until the runs are followed: a run
        that the socket has just started is not found by its subscription meanwhile."""

    def __len__(self) -> int:
        return len(self._pumps)

    @property
    def runs(self) -> list[Run]:
        """Those that are followed."""
        return [pump.run for pump in self._pumps.values()]

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._pumps

    async def follow(self, run: Run, after: int, encoder: Encoder) -> None:
        """Stream the events after a position; `ended(run, done)` is called at the end."""
        if (before := self._pumps.pop(run.pk, None)) is not None:
            await before.stop()
        pump = Pump(
            self._log,
            run,
            after,
            encoder,
            send=self._send,
            write=self._write,
            ended=self._end,
        )
        self._pumps[run.pk] = pump
        pump.start()

    async def snapshot(self, run: Run, encoder: Encoder, reply_to: Any = None) -> int:
        """Send the run so far; returns the position that it covers."""
        snapshot = replace(await read_snapshot(self._log, run), reply_to=reply_to)
        for data in encoder.snapshot(snapshot):
            await self._send(data)
        return snapshot.last_seq

    async def stop(self) -> None:
        """Follow nothing any more."""
        while self._pumps:
            _, pump = self._pumps.popitem()
            await pump.stop()

    def _end(self, pump: Pump, done: bool) -> None:
        if self._pumps.get(pump.run.pk) is pump:
            del self._pumps[pump.run.pk]
        self._ended(pump.run, done)
