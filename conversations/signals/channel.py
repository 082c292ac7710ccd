"""Short messages between serving processes, over the channel layer.

At most once, and only hints: every receiver also looks by itself from time to time. No
token ever travels here: the layer drops what exceeds its capacity, silently."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from channels.layers import get_channel_layer

from core.tasks.background import Background

log = logging.getLogger(__name__)

Handler: TypeAlias = Callable[[dict[str, Any]], None]

RETRY_SECONDS = 1.0
PATIENCE = 2.0  # seconds


class Signals:
    """One channel and one receiving task for the whole process."""

    def __init__(self) -> None:
        self._layer: Any = get_channel_layer()
        self._channel = ""
        self._handlers: dict[str, Handler] = {}
        self._background = Background()

    async def start(self) -> None:
        """Begin to receive."""
        self._channel = await self._layer.new_channel("clawsite")
        # No timeout around `receive`: cancelling it would unsubscribe the channel for good.
        self._background.start(self._receive())

    async def stop(self) -> None:
        """End the receiving."""
        # It unsubscribes, for which the layer may wait as long as it likes.
        await self._background.stop(PATIENCE)

    def handle(self, kind: str, handler: Handler) -> None:
        """Call `handler(message)` for every message of this `type`; it must not wait."""
        self._handlers[kind] = handler

    async def join(self, group: str) -> None:
        """Receive what is sent to a group."""
        await self._try(self._layer.group_add(group, self._channel))

    async def leave(self, group: str) -> None:
        """The end of `join`."""
        await self._try(self._layer.group_discard(group, self._channel))

    async def send(self, group: str, kind: str, **fields: Any) -> None:
        """Send to all processes of a group."""
        await self._try(self._layer.group_send(group, {"type": kind, **fields}))

    async def _try(self, work: Awaitable[None]) -> None:
        """A layer that does not answer is only logged: whatever it carries is a hint."""
        try:
            async with asyncio.timeout(PATIENCE):
                await work
        except Exception as error:  # noqa: BLE001 - each layer has its own; none is our caller's
            log.warning("signals are lost: %r", error)

    async def _receive(self) -> None:
        while True:
            try:
                message = await self._layer.receive(self._channel)
            except Exception as error:  # noqa: BLE001 - as in `_try`: it must go on listening
                log.warning("no signals for a while: %r", error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._handlers[message["type"]](message)
