"""The time that some work may take, without the time in which it waits for a person."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import TracebackType
from typing import Self


class Clock:
    """Ends the block that it is entered for with `TimeoutError` after so many seconds. They do not
    pass while it is `stopped`, and nor do those of the clock `around` it."""

    def __init__(self, seconds: float, around: "Clock | None" = None) -> None:
        self._limit, self._around = asyncio.timeout(seconds), around
        self._stops, self._left, self._over = 0, 0.0, False

    async def __aenter__(self) -> Self:
        await self._limit.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over = True
        await self._limit.__aexit__(kind, error, trace)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let no time pass for as long as the context is. Several may be entered at once."""
        loop = asyncio.get_running_loop()
        if not self._stops and not self._over:
            self._left = (self._limit.when() or loop.time()) - loop.time()
            self._limit.reschedule(None)
        self._stops += 1
        try:
            with self._around.stopped() if self._around else nullcontext():
                yield
        finally:
            self._stops -= 1
            if not self._stops and not self._over:
                self._limit.reschedule(loop.time() + self._left)
