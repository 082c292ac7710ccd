"""Trying a model call again, as long as nothing of its answer has been passed on."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from engine.errors import ProviderError
from engine.providers.base import Delta, Sink

log = logging.getLogger(__name__)

RETRIES = 2
FIRST_WAIT = 0.5  # seconds; doubles, and half of it is random so that callers spread
LONGEST_WAIT = 5.0  # for all waits together; whoever waits longer is better told to come back


async def retrying(attempt: Callable[[Sink], Awaitable[None]], sink: Sink) -> None:
    """Make attempts until one passes anything on. Raises the last one's `ProviderError`.

    A timeout is not tried again: the caller has waited long enough."""
    begun = False

    def pass_on(deltas: list[Delta]) -> None:
        nonlocal begun
        begun = True
        sink(deltas)

    patience = LONGEST_WAIT
    for retry in range(RETRIES + 1):
        try:
            return await attempt(pass_on)
        except ProviderError as error:
            pause = wait_before(retry, error)
            hopeless = not error.retryable or error.code == "upstream_timeout"
            if begun or hopeless or retry == RETRIES or pause > patience:
                raise
            log.info("model call failed, trying again", extra={"reason": error.reason})
        patience -= pause
        await asyncio.sleep(pause)


def wait_before(retry: int, error: ProviderError) -> float:
    """Seconds before the next attempt: what the server asked for, else a growing pause."""
    if error.retry_after is not None:
        return error.retry_after / 1000
    return FIRST_WAIT * (1 << retry) * random.uniform(0.5, 1)
