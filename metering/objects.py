"""The objects of usage in the REST API."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from metering.report import Report, Sums
from wire.parse import Moment


class Usage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The usage of some runs. `cost` (USD) is the sum of the known prices; `unpriced_runs` ended
    without one, and the tokens of `estimated_runs` are estimated in part. `errors` are failed and
    interrupted runs. Times are null where nothing was measured, and 5 % off at most."""

    runs: int
    statuses: dict[str, int]
    errors: int
    cancelled: int
    input_tokens: int
    output_tokens: int
    total_tokens: int
    cost: float
    unpriced_runs: int
    estimated_runs: int
    ttft_p50_ms: int | None
    ttft_p95_ms: int | None
    tokens_per_second_p50: float | None
    tokens_per_second_p95: float | None
    time_to_cancel_p95_ms: int | None


class UsageRow(Usage, frozen=True, kw_only=True, rename="camel"):
    """The usage of one group: it has the names of what the report is grouped by. An agent or a key
    that was deleted has no name any more; `key_id` is null of runs without a key."""

    day: date | UnsetType = UNSET
    agent_id: str | UnsetType = UNSET
    agent_name: str | UnsetType | None = UNSET
    key_id: str | UnsetType | None = UNSET
    key_name: str | UnsetType | None = UNSET
    provider: str | UnsetType = UNSET
    model: str | UnsetType = UNSET


class UsageReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The usage of an organisation's runs from one day to another, both included, as of a moment.
    Days are those of `time_zone`."""

    from_: date = msgspec.field(name="from")
    to: date
    time_zone: str
    as_of: Moment
    group_by: list[str]
    rows: list[UsageRow]
    total: Usage


NAMES = {
    "day": ("day",),
    "agent": ("agentId", "agentName"),
    "key": ("keyId", "keyName"),
    "model": ("provider", "model"),
}
"""The names of a group in rows and CSV, by what a report is grouped by."""


def usage_of(sums: Sums) -> Usage:
    """Sums as the API shows them."""
    return Usage(**_numbers(sums))


def rows_of(report: Report, names: dict[str, str]) -> list[UsageRow]:
    """The rows of a report; `names` has those of agents and keys, by their ids."""
    return [
        UsageRow(**named, **_own_names(named, names), **_numbers(sums))
        for named, sums in report.rows()
    ]


def table(rows: list[UsageRow], group_by: tuple[str, ...]) -> Iterator[list[Any]]:
    """The rows as lines of a table, after a line with the names of their columns."""
    numbers = [name for name in Usage.__struct_encode_fields__ if name != "statuses"]
    columns = [name for group in group_by for name in NAMES[group]] + numbers
    yield columns
    for row in rows:
        fields = msgspec.to_builtins(row)
        yield [fields[name] for name in columns]


def _own_names(named: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {
        f"{kind}_name": names.get(named[f"{kind}_id"])
        for kind in ("agent", "key")
        if f"{kind}_id" in named
    }


def _numbers(sums: Sums) -> dict[str, Any]:
    return {
        "runs": sums.runs,
        "statuses": sums.statuses,
        "errors": sums.errors,
        "cancelled": sums.statuses.get("cancelled", 0),
        "input_tokens": sums.input_tokens,
        "output_tokens": sums.output_tokens,
        "total_tokens": sums.total_tokens,
        "cost": sums.cost,
        "unpriced_runs": sums.unpriced,
        "estimated_runs": sums.estimated,
        "ttft_p50_ms": _whole(sums.quantile("ttftMs", 0.5)),
        "ttft_p95_ms": _whole(sums.quantile("ttftMs", 0.95)),
        "tokens_per_second_p50": _rounded(sums.quantile("tokensPerSecond", 0.5)),
        "tokens_per_second_p95": _rounded(sums.quantile("tokensPerSecond", 0.95)),
        "time_to_cancel_p95_ms": _whole(sums.quantile("timeToCancelMs", 0.95)),
    }


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
