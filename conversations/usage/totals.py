"""The usage of runs: tokens, money, and outcomes.

The database adds up some thousand runs at a time, so that a report over any number of them lets
other queries through in between; `Tally` adds up the results."""

from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter
from typing import Any, TypeAlias

from django.db.models import BigIntegerField, Count, F, Q, QuerySet, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, TruncDate, TruncMinute

from conversations.models import FINAL, Run, RunStatus
from wire.objects.management import Group, Sums

MAX_GROUPS = 1000  # no key or model list of an organisation is meant to be longer
STEP = 2000  # runs in one statement: some 10 ms

GROUPS = {
    "day": {"day": TruncDate("created_at")},
    "agent": {"agent_id": F("agent"), "agent_name": F("agent__name")},
    "key": {"key_id": F("api_key"), "key_name": F("api_key__name")},
    "model": {"provider": F("provider"), "model": F("model")},
}
"""The fields that name a group (`wire.objects.management.Group`), and the columns that make it."""
COLUMNS = GROUPS | {"minute": {"minute": TruncMinute("created_at")}}
"""Those of the report, and those of the command center's charts."""


def _tokens(name: str) -> Sum:
    return Sum(Cast(KT(f"usage__{name}"), BigIntegerField()), default=0)


_SUMS = {
    "runs": Count("pk"),
    "inputs": _tokens("inputTokens"),
    "outputs": _tokens("outputTokens"),
    "known_cost": Sum("cost", default=0),
    "unpriced": Count("pk", filter=Q(cost=None, status__in=FINAL)),
    **{f"are_{status}": Count("pk", filter=Q(status=status)) for status in RunStatus.values},
}


Row: TypeAlias = dict[str, Any]


def step(
    runs: QuerySet[Run], group: str, begin: datetime, end: datetime
) -> tuple[list[Row], datetime | None]:
    """The sums of the first runs from `begin` on and before `end`, for each group that has some,
    and the moment at which the next step begins; None at the end. Synchronous: one database step.

    The time is asked for once: of two beginnings SQLite takes the first one to find its place in
    the index, and reads all from there."""
    columns = _columns(group)
    times = runs.order_by("created_at").values_list("created_at", flat=True)
    rest = times.filter(created_at__gte=begin, created_at__lt=end)
    until = rest[STEP : STEP + 1].first()
    if until == begin:  # so many of one moment are one step
        until = times.filter(created_at__gt=begin, created_at__lt=end).first()
    part = runs.filter(created_at__gte=begin, created_at__lt=until or end)
    return list(part.values(**columns).annotate(**_SUMS).order_by(*columns)), until


class Tally:
    """The sums of many steps, in groups and together."""

    def __init__(self, group: str) -> None:
        self._group, self._names = group, list(_columns(group))
        self._groups: dict[tuple[Any, ...], Row] = {}
        self._total: Row = dict.fromkeys(_SUMS, 0)

    def add(self, rows: Iterable[Row]) -> None:
        """Adds the rows of a step."""
        for row in rows:
            place = tuple((row[name] is not None, row[name] or "") for name in self._names)
            _add(self._groups.setdefault(place, row.copy() | dict.fromkeys(_SUMS, 0)), row)
            _add(self._total, row)
        if len(self._groups) > 2 * MAX_GROUPS:  # none of the rest can come to the front again
            self._groups = dict(self._first())

    def total(self) -> Sums:
        """All of them together."""
        return Sums(**_sums(self._total))

    def groups(self) -> list[Group]:
        """Each group that has runs, in order; at most `MAX_GROUPS`."""
        return [
            Group(**{name: row[f"by_{name}"] for name in GROUPS[self._group]}, **_sums(row))
            for _, row in self._first()
        ]

    def _first(self) -> list[tuple[tuple[Any, ...], Row]]:
        return sorted(self._groups.items(), key=itemgetter(0))[:MAX_GROUPS]


def _columns(group: str) -> dict[str, Any]:
    return {f"by_{name}": column for name, column in COLUMNS[group].items()}


def _add(sums: Row, row: Row) -> None:
    for name in _SUMS:
        sums[name] += row[name]


def _sums(row: Row) -> dict[str, Any]:
    statuses = {status: row[f"are_{status}"] for status in RunStatus.values}
    return {
        "runs": row["runs"],
        "statuses": {status: count for status, count in statuses.items() if count},
        "input_tokens": row["inputs"],
        "output_tokens": row["outputs"],
        "total_tokens": row["inputs"] + row["outputs"],
        "cost": round(float(row["known_cost"]), 12),
        "unpriced_runs": row["unpriced"],
    }
