"""Counts runs that have ended, in the transaction that stores their end: each once, or not at
all."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec
from django.db import connection

from core.statements import places
from metering import histograms
from metering.histograms import Histogram

Place: TypeAlias = tuple[str, int, str, str, str, str]
"""Organisation, hour, agent, key, provider and model."""
TIMES = ("ttftMs", "tokensPerSecond", "timeToCancelMs")
"""The names of the histograms."""
SECONDS = 3600
UNITS = 10**8
"""Of `UsageHour.cost` in a US dollar."""

PLACE = ("organization_id", "hour", "agent_id", "key_id", "provider", "model")
STATUSES = ("completed", "cancelled", "failed", "interrupted")
COUNTS = (*STATUSES, "input_tokens", "output_tokens", "cost", "unpriced", "estimated")
# Both rows' histograms, taken apart into buckets and put together again with their sums.
TIMES_OF_BOTH = """
COALESCE((SELECT CAST({object}(name, {json}(buckets)) AS text) FROM (
    SELECT name, {object}(bucket, counted) AS buckets FROM (
        SELECT histogram.key AS name, one.key AS bucket, SUM(CAST(one.value AS bigint)) AS counted
          FROM (SELECT metering_usagehour.times AS times UNION ALL SELECT excluded.times) AS given,
               {each}({json}(given.times)) AS histogram, {each}({json}(histogram.value)) AS one
         GROUP BY histogram.key, one.key) AS counts
     GROUP BY name) AS histograms), '{{}}')
"""
POSTGRESQL = {"each": "jsonb_each", "object": "jsonb_object_agg", "json": "jsonb"}
SQLITE = {"each": "json_each", "object": "json_group_object", "json": "json"}
# Places come in one order, or two transactions with the same ones would wait for each other.
ADD = f"""
INSERT INTO metering_usagehour ({", ".join((*PLACE, *COUNTS, "times"))})
VALUES {{rows}}
ON CONFLICT ({", ".join(PLACE)}) DO UPDATE
   SET {", ".join(f"{name} = metering_usagehour.{name} + excluded.{name}" for name in COUNTS)},
       times = {{times}}
"""

_decode = msgspec.json.Decoder(dict[str, Histogram]).decode


@dataclass(frozen=True, kw_only=True)
class EndedRun:
    """The counted values of a run. `usage` is that of its row; `cancel_ms` is the time from a stop
    to the moment in which the model server was left."""

    organization_id: str
    agent_id: str
    key_id: str | None
    provider: str
    model: str
    created_at: datetime
    status: str
    usage: dict[str, Any] | None
    cost: Decimal | None
    cancel_ms: int | None = None


@dataclass
class _Sums:
    counts: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    times: dict[str, Histogram] = field(default_factory=dict)

    def add(self, run: EndedRun) -> None:
        usage = run.usage or {}
        counts = self.counts
        counts[run.status] += 1
        counts["input_tokens"] += usage.get("inputTokens", 0)
        counts["output_tokens"] += usage.get("outputTokens", 0)
        counts["cost"] += round((run.cost or 0) * UNITS)
        counts["unpriced"] += run.cost is None
        counts["estimated"] += usage.get("source") == "estimated"
        values = (usage.get("ttftMs"), usage.get("tokensPerSecond"), run.cancel_ms)
        for name, value in zip(TIMES, values, strict=True):
            if value is not None:
                histograms.add(
                    self.times.setdefault(name, {}), {histograms.bucket_of(float(value)): 1}
                )

    def values(self) -> Iterable[Any]:
        """What is added to a row: its counts, then its times."""
        return (*self.counts.values(), msgspec.json.encode(self.times).decode())


def record(runs: Iterable[EndedRun]) -> None:
    """Count these runs, each in the hour in which it was accepted. Synchronous; the caller's
    transaction makes it happen once."""
    sums: dict[Place, _Sums] = {}
    for run in runs:
        sums.setdefault(_place(run), _Sums()).add(run)
    if not sums:
        return
    values = [value for place in sorted(sums) for value in (*place, *sums[place].values())]
    row = f"({places(len(PLACE) + len(COUNTS) + 1)})"
    dialect = POSTGRESQL if connection.vendor == "postgresql" else SQLITE
    statement = ADD.format(rows=", ".join([row] * len(sums)), times=TIMES_OF_BOTH.format(**dialect))
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def times_of(stored: str) -> dict[str, Histogram]:
    """The histograms of a row."""
    return _decode(stored)


def hour_of(moment: datetime) -> int:
    """The hour of a time, as `UsageHour` names it."""
    return int(moment.timestamp()) // SECONDS


def _place(run: EndedRun) -> Place:
    hour = hour_of(run.created_at)
    return (run.organization_id, hour, run.agent_id, run.key_id or "", run.provider, run.model)
