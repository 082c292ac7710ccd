"""Repeats a model call as long as nothing of its answer has been passed on."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from engine.errors import ProviderError
from engine.providers.base import Delta, Sink
from engine.providers.server.refusals.faults import fault

log = logging.getLogger(__name__)

RETRIES = 2
FIRST_WAIT = 0.5  # seconds; doubles, and half of it is random so that callers spread
MAX_WAIT = 5.0  # seconds, of all waits together; after that the client is told when to come back
COME_BACK = 5000  # milliseconds, where a server is overloaded and does not say for how long


async def retrying(attempt: Callable[[Sink], Awaitable[None]], sink: Sink) -> None:
    """Make attempts until one passes anything on. Raises the last one's `ProviderError`; that of
    an overload has a `retry_after`.

    A timeout is not tried again: the caller has waited long enough."""
    begun = False

    def pass_on(deltas: list[Delta]) -> None:
        nonlocal begun
        begun = True
        sink(deltas)

    patience = MAX_WAIT
    for retry in range(RETRIES + 1):
        try:
            return await attempt(pass_on)
        except ProviderError as error:
            pause = wait_before(retry, error)
            hopeless = not error.retryable or error.code == "upstream_timeout"
            if begun or hopeless or retry == RETRIES or pause > patience:
                raise with_a_wait(error) from error.__cause__
            log.info("model call failed, trying again: %s", error.reason)
        patience -= pause
        await asyncio.sleep(pause)


def wait_before(retry: int, error: ProviderError) -> float:
    """Seconds before the next attempt: what the server asked for, else a growing pause."""
    if error.retry_after:
        return error.retry_after / 1000
    return FIRST_WAIT * (1 << retry) * random.uniform(0.5, 1)


def with_a_wait(error: ProviderError) -> ProviderError:
    """The same error; an overload says when to come back, also if the server does not."""
    if error.code != "upstream_overloaded" or error.retry_after:
        return error
    return fault(error.code, error.reason, retry_after=COME_BACK)
