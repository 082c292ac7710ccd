"""The last hour of an organisation, minute by minute: what the command center's charts show."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from django.db.models import BigIntegerField, Count, Q, QuerySet, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, TruncMinute
from django.utils import timezone

from agents.principal import Principal
from conversations.feed import access
from conversations.models import Run, RunStatus
from core.database import database_step
from wire import feed as wire

MINUTES = 60
MAX_TIMES = 5000  # first tokens that are looked at, the latest
MINUTE = timedelta(minutes=1)
STEP = 2000  # runs in one statement: some 10 ms

Row: TypeAlias = dict[str, Any]


def _count(*statuses: str) -> Count:
    return Count("pk", filter=Q(status__in=statuses))


def _tokens(name: str) -> Sum:
    return Sum(Cast(KT(f"usage__{name}"), BigIntegerField()), default=0)


_SUMS = {
    "runs": Count("pk"),
    "errors": _count(RunStatus.FAILED, RunStatus.INTERRUPTED),
    "cancelled": _count(RunStatus.CANCELLED),
    "tokens": _tokens("inputTokens") + _tokens("outputTokens"),
    "cost": Sum("cost", default=0),
}


async def last_hour(principal: Principal, agents: Collection[str] | None) -> list[wire.FeedMinute]:
    """The last 60 minutes, the current one too, oldest first. A run belongs to the minute in which
    it was accepted. Raises `forbidden` without the scope `monitor:read`."""
    now = timezone.now()
    first = now.replace(second=0, microsecond=0) - (MINUTES - 1) * MINUTE
    runs = access.watched(principal, agents)
    sums: dict[datetime, Row] = {}
    place: datetime | None = first
    while place is not None:
        rows, place = await database_step(_step, runs, place, now)
        for row in rows:
            minute = sums.setdefault(row["minute"], dict.fromkeys(_SUMS, 0))
            for name in _SUMS:
                minute[name] += row[name]
    times = await database_step(access.first_tokens, runs, first, MAX_TIMES)
    by_minute: dict[datetime, list[int]] = defaultdict(list)
    for accepted, ttft in times:
        by_minute[accepted.replace(second=0, microsecond=0)].append(ttft)
    every = [first + number * MINUTE for number in range(MINUTES)]
    return [_minute(at, sums.get(at), sorted(by_minute[at])) for at in every]


def _step(runs: QuerySet[Run], begin: datetime, end: datetime) -> tuple[list[Row], datetime | None]:
    """The sums of the first runs from `begin` on and before `end`, minute by minute, and the moment
    at which the next step begins; None at the end. Synchronous: one database step.

    The time is asked for once: of two beginnings SQLite takes the first one to find its place in
    the index, and reads all from there."""
    times = runs.order_by("created_at").values_list("created_at", flat=True)
    until = times.filter(created_at__gte=begin, created_at__lt=end)[STEP : STEP + 1].first()
    if until == begin:  # so many of one moment are one step
        until = times.filter(created_at__gt=begin, created_at__lt=end).first()
    part = runs.filter(created_at__gte=begin, created_at__lt=until or end)
    by_minute = part.values(minute=TruncMinute("created_at"))
    return list(by_minute.annotate(**_SUMS).order_by("minute")), until


def _minute(at: datetime, sums: Row | None, times: list[int]) -> wire.FeedMinute:
    if sums is None:
        return wire.FeedMinute(at=at)
    return wire.FeedMinute(
        at=at,
        runs=sums["runs"],
        errors=sums["errors"],
        cancelled=sums["cancelled"],
        tokens=sums["tokens"],
        cost=round(float(sums["cost"]), 12),
        ttft_p95_ms=times[int(len(times) * 0.95)] if times else None,
    )
