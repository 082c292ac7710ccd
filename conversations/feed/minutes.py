"""The last hour of an organisation, minute by minute: what the command center's charts show."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from django.utils import timezone

from agents.principal import Principal
from conversations.feed import access
from conversations.models import RunStatus
from conversations.usage import totals
from core.database import database_step
from wire import feed as wire

MINUTES = 60
MAX_TIMES = 5000  # first tokens that are looked at, the latest
MINUTE = timedelta(minutes=1)


async def last_hour(principal: Principal, agents: Collection[str] | None) -> list[wire.FeedMinute]:
    """The last 60 minutes, the current one too, oldest first. A run belongs to the minute in which
    it was accepted. Raises `forbidden` without the scope `monitor:read`."""
    now = timezone.now()
    first = now.replace(second=0, microsecond=0) - (MINUTES - 1) * MINUTE
    runs = access.watched(principal, agents)
    sums: dict[datetime, totals.Row] = {}
    place: datetime | None = first
    while place is not None:
        rows, place = await database_step(totals.step, runs, "minute", place, now)
        for row in rows:
            before = sums.setdefault(row["by_minute"], dict.fromkeys(row, 0))
            sums[row["by_minute"]] = {
                name: before[name] + value for name, value in row.items() if name != "by_minute"
            }
    times = await database_step(access.first_tokens, runs, first, MAX_TIMES)
    by_minute: dict[datetime, list[int]] = defaultdict(list)
    for accepted, ttft in times:
        by_minute[accepted.replace(second=0, microsecond=0)].append(ttft)
    every = [first + number * MINUTE for number in range(MINUTES)]
    return [_minute(at, sums.get(at), sorted(by_minute[at])) for at in every]


def _minute(at: datetime, sums: totals.Row | None, times: list[int]) -> wire.FeedMinute:
    if sums is None:
        return wire.FeedMinute(at=at)
    return wire.FeedMinute(
        at=at,
        runs=sums["runs"],
        errors=sums[f"are_{RunStatus.FAILED}"] + sums[f"are_{RunStatus.INTERRUPTED}"],
        cancelled=sums[f"are_{RunStatus.CANCELLED}"],
        tokens=sums["inputs"] + sums["outputs"],
        cost=round(float(sums["known_cost"]), 12),
        ttft_p95_ms=times[int(len(times) * 0.95)] if times else None,
    )
