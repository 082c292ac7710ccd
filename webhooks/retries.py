"""When a delivery is tried again, and how long a webhook rests after a failure."""

import random
from datetime import timedelta

DELAYS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 60, 300, 1800, 2 * 3600, 5 * 3600, 8 * 3600, 8 * 3600)
)
"""After each attempt that fails; together a little less than a day."""
GIVE_UP = timedelta(hours=24)
"""A webhook that fails for so long is disabled."""
SHORTEST_REST, LONGEST_REST = timedelta(seconds=5), timedelta(seconds=60)
SPREAD = 0.2


def delay(attempts: int) -> timedelta | None:
    """How long after this many failed attempts the next one comes; None if it was the last."""
    return _jittered(DELAYS[attempts - 1]) if attempts <= len(DELAYS) else None


def rest(failing: timedelta) -> timedelta:
    """How long a webhook is left alone that has failed for this long."""
    return _jittered(min(max(failing / 4, SHORTEST_REST), LONGEST_REST))


def _jittered(time: timedelta) -> timedelta:
    """So that what failed together is not tried again together."""
    return time * random.uniform(1 - SPREAD, 1 + SPREAD)
