"""What runs have used, added up by the database: tokens, money, and how they ended."""

from typing import Any

from django.db.models import BigIntegerField, Count, F, Q, QuerySet, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, TruncDate

from conversations.models import FINAL, Run, RunStatus
from wire.management import Group, Sums

MOST_GROUPS = 1000  # no key or model list of an organisation is meant to be longer

GROUPS = {
    "day": {"day": TruncDate("created_at")},
    "agent": {"agent_id": F("agent"), "agent_name": F("agent__name")},
    "key": {"key_id": F("api_key"), "key_name": F("api_key__name")},
    "model": {"provider": F("provider"), "model": F("model")},
}
"""The fields that name a group (`wire.management.Group`), and the columns that make it."""


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


def total(runs: QuerySet[Run]) -> Sums:
    """All of them together."""
    return Sums(**_sums(runs.aggregate(**_SUMS)))


def by(runs: QuerySet[Run], group: str) -> list[Group]:
    """The same for each group that has runs, in order; at most `MOST_GROUPS`, in one query."""
    columns = {f"by_{name}": column for name, column in GROUPS[group].items()}
    rows = runs.values(**columns).annotate(**_SUMS).order_by(*columns)
    return [
        Group(**{name: row[f"by_{name}"] for name in GROUPS[group]}, **_sums(row))
        for row in rows[:MOST_GROUPS]
    ]


def _sums(row: dict[str, Any]) -> dict[str, Any]:
    statuses = {status: row[f"are_{status}"] for status in RunStatus.values}
    return {
        "runs": row["runs"],
        "statuses": {status: count for status, count in statuses.items() if count},
        "input_tokens": row["inputs"],
        "output_tokens": row["outputs"],
        "total_tokens": row["inputs"] + row["outputs"],
        "cost": float(row["known_cost"]),
        "unpriced_runs": row["unpriced"],
    }
