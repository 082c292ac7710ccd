"""Wakes the tasks of a pipeline when something has moved."""

import asyncio


class Bell:
    """Listeners are woken by the next ring. A ring without listeners is lost, so a listener looks
    first, and listens without awaiting in between."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake all listeners."""
        self._rung.set()
        self._rung = asyncio.Event()

    async def heard(self) -> None:
        """Wait for the next ring."""
        await self._rung.wait()
