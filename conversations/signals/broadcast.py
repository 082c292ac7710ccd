"""Tells other processes what was changed in agents and keys here, and hears it from them."""

import asyncio
from typing import Any

from agents import invalidation
from conversations.signals.channel import Signals

GROUP = "serving"


class Broadcast:
    """Carries `agents.invalidation` from process to process, as signals."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._loop = asyncio.get_running_loop()
        self._telling: set[asyncio.Task[None]] = set()
        self._end = invalidation.listen_to_commits(self._changed)
        signals.handle("changed", self._heard)

    async def start(self) -> None:
        """Listen to the others."""
        await self._signals.join(GROUP)

    async def stop(self) -> None:
        """Say no more, and wait until everything is said."""
        self._end()
        await asyncio.gather(*self._telling)

    def _changed(self, organization_id: str) -> None:
        # Before what the transaction's caller does next in the loop: the answer comes after it.
        self._loop.call_soon_threadsafe(self._tell, organization_id)

    def _tell(self, organization_id: str) -> None:
        saying = self._signals.send(GROUP, "changed", organization=organization_id)
        task = asyncio.create_task(saying)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def _heard(self, message: dict[str, Any]) -> None:
        invalidation.forget(message["organization"])
