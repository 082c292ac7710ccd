"""The way to one destination: an item at a time, in order, with what is tried again."""

import asyncio
import random

from pipelines.destinations.base import DeliveryError, Destination
from pipelines.destinations.configs import RetryPolicy
from pipelines.flow.flow import Flow, Output
from pipelines.worker.bell import Bell

MAX_DELAY = 60.0
"""Seconds between two attempts."""
MAX_RETRY_AFTER = 300.0
"""Seconds that a receiver may ask us to wait."""


class Lane:
    """Takes what waits for one destination from the flow, and tells the flow what became of it."""

    def __init__(
        self,
        number: int,
        flow: Flow,
        destination: Destination,
        policy: RetryPolicy,
        *,
        block: bool,
    ) -> None:
        """`block`: an item is tried for ever, and keeps those behind it waiting."""
        self._number, self._flow, self._destination = number, flow, destination
        self._policy, self._block = policy, block
        self.problem: str | None = None

    async def run(self, bell: Bell) -> None:
        """Deliver for ever. The bell rings when there may be more, and after each item. A cancel
        leaves the item where it is: it is delivered again."""
        while True:
            output = self._flow.head(self._number)
            if output is None:
                await bell.heard()
                continue
            await self._deliver(output)
            bell.ring()

    async def aclose(self) -> None:
        """Give back connections."""
        await self._destination.aclose()

    async def _deliver(self, output: Output) -> None:
        failures = 0
        while True:
            try:
                await self._destination.send(output.item)
            except DeliveryError as error:
                self.problem = str(error)
                failures += 1
                if not self._again(error, failures):
                    self._flow.rejected(output, self._number, str(error))
                    return
                await asyncio.sleep(self._delay(error, failures))
            else:
                self._flow.delivered(output, self._number)
                return

    def _again(self, error: DeliveryError, failures: int) -> bool:
        return self._block or (error.transient and failures <= self._policy.max_retries)

    def _delay(self, error: DeliveryError, failures: int) -> float:
        if error.retry_after is not None:
            return min(error.retry_after, MAX_RETRY_AFTER)
        seconds: float = self._policy.backoff_ms / 1000 * 2 ** min(failures - 1, 20)
        return min(seconds, MAX_DELAY) * random.uniform(0.8, 1.2)
