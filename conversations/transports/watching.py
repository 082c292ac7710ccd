"""The runs that one socket follows."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from conversations import runs
from conversations.models import Run
from conversations.transports import frames
from conversations.transports.pump import Pump
from wire.view import View


class Watching:
    """A pump for each run; a second follow of the same run moves its position."""

    def __init__(
        self,
        *,
        send: Callable[[bytes], Awaitable[None]],
        write: Callable[[list[bytes]], bool] | None,
        ended: Callable[[Run, bool], None],
    ) -> None:
        self._send, self._write, self._ended = send, write, ended
        self._pumps: dict[str, Pump] = {}
        self.turn = asyncio.Lock()
        """Held from asking, or looking for what others ask, until the runs are followed: a run
        that the socket has just started is not found by its subscription meanwhile."""

    def __len__(self) -> int:
        return len(self._pumps)

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._pumps

    async def follow(self, run: Run, after: int, view: View) -> None:
        """Stream the events after a position; `ended(run, done)` is called at the end."""
        if (before := self._pumps.pop(run.pk, None)) is not None:
            await before.stop()
        pump = Pump(
            run,
            after,
            view,
            send=self._send,
            write=self._write,
            snapshot=self.snapshot,
            ended=self._end,
        )
        self._pumps[run.pk] = pump
        pump.start()

    async def snapshot(self, run: Run, view: View, reply_to: Any = None) -> int:
        """Send the run so far; returns the position that it covers."""
        snapshot = await runs.snapshot(run)
        snapshot["message"] = view.visibility.message(snapshot["message"])
        await self._send(frames.snapshot(snapshot, reply_to))
        return int(snapshot["lastSeq"])

    async def stop(self) -> None:
        """Follow nothing any more."""
        while self._pumps:
            _, pump = self._pumps.popitem()
            await pump.stop()

    def _end(self, pump: Pump, done: bool) -> None:
        if self._pumps.get(pump.run.pk) is pump:
            del self._pumps[pump.run.pk]
        self._ended(pump.run, done)
