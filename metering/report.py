"""Reports of usage: the hours of an organisation, added up in groups and together.

Every number of the usage page, its CSV and `GET /api/usage` comes from here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from django.db.models import Q

from metering import histograms
from metering.access import hours
from metering.histograms import Histogram
from metering.recording import SECONDS, STATUSES, TIMES, UNITS, hour_of, times_of

STEP = 2000
"""Rows in one database step: some 20 ms."""
MAX_ROWS = 10_000
"""Of a report: a year by day and the 27 agents of an organisation."""
GROUPS = ("day", "agent", "key", "model")
"""The fields by which a report can be grouped."""

Group: TypeAlias = tuple[Any, ...]


class TooManyRows(Exception):
    """The report would have more than `MAX_ROWS` rows."""


class Days(NamedTuple):
    """Days of a time zone, both included."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def hours(self) -> range:
        """The hours of UTC that begin on these days."""
        return range(self._first_hour(self.first), self._first_hour(self.last + timedelta(1)))

    def before(self) -> "Days":
        """As many days, just before these."""
        length = self.last - self.first + timedelta(1)
        return Days(self.first - length, self.last - length, self.zone)

    def day_of(self, hour: int) -> date:
        """The day in which an hour of UTC begins."""
        return datetime.fromtimestamp(hour * SECONDS, self.zone).date()

    def _first_hour(self, day: date) -> int:
        """The first hour of UTC that begins on this day or later. Some zones are half an hour
        off."""
        midnight = datetime.combine(day, time(), self.zone).astimezone(UTC)
        return -(-int(midnight.timestamp()) // SECONDS)


@dataclass
class Sums:
    """The usage of some runs."""

    statuses: dict[str, int] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    units: int = 0
    unpriced: int = 0
    estimated: int = 0
    times: dict[str, Histogram] = field(default_factory=lambda: {name: {} for name in TIMES})

    @property
    def runs(self) -> int:
        """The number of all runs, also of those that have not ended."""
        return sum(self.statuses.values())

    @property
    def total_tokens(self) -> int:
        """Of both kinds."""
        return self.input_tokens + self.output_tokens

    @property
    def errors(self) -> int:
        """Runs that failed or were interrupted."""
        return self.statuses.get("failed", 0) + self.statuses.get("interrupted", 0)

    @property
    def cost(self) -> float:
        """US dollars, as far as prices are known."""
        return self.units / UNITS

    def quantile(self, name: str, part: float) -> float | None:
        """Of the times of this name: see `histograms.quantile`."""
        return histograms.quantile(self.times[name], part)

    def add(self, row: dict[str, Any], times: dict[str, Histogram]) -> None:
        """Adds a row of `UsageHour` and its histograms."""
        for status in STATUSES:
            if count := row[status]:
                self.count(status, count)
        self.input_tokens += row["input_tokens"]
        self.output_tokens += row["output_tokens"]
        self.units += row["cost"]
        self.unpriced += row["unpriced"]
        self.estimated += row["estimated"]
        for name, histogram in times.items():
            histograms.add(self.times[name], histogram)

    def count(self, status: str, runs: int) -> None:
        """Adds runs that have this status."""
        self.statuses[status] = self.statuses.get(status, 0) + runs


class Unfinished(NamedTuple):
    """Runs that have not ended, of one agent, key, model and moment."""

    status: str
    created_at: datetime
    agent_id: str
    key_id: str | None
    provider: str
    model: str


class Report:
    """The usage of an organisation on some days: call `step` until it says that nothing is left,
    then `add_unfinished`."""

    def __init__(self, organization_id: str, days: Days, group_by: Sequence[str]) -> None:
        self.days, self.group_by = days, tuple(group_by)
        self.total = Sums()
        self._groups: dict[Group, Sums] = {}
        self._rows = hours(organization_id, days.hours)
        self._place = (days.hours.start, 0)

    def step(self) -> bool:
        """Read more of the hours; False at the end. Synchronous: one database step. Raises
        `TooManyRows`."""
        hour, last = self._place
        rest = self._rows.filter(Q(hour=hour, id__gt=last) | Q(hour__gt=hour), hour__gte=hour)
        found = list(rest.order_by("hour", "id").values()[:STEP])
        for row in found:
            times = times_of(row["times"])
            self.total.add(row, times)
            self._group(row["hour"], row).add(row, times)
            self._place = (row["hour"], row["id"])
        return len(found) == STEP

    def add_unfinished(self, runs: Iterable[Unfinished]) -> None:
        """Count those of these runs that were accepted on the days of the report. They have not
        ended, so what they use is not known yet."""
        for run in runs:
            hour = hour_of(run.created_at)
            if hour in self.days.hours:
                self.total.count(run.status, 1)
                self._group(hour, run._asdict()).count(run.status, 1)

    def rows(self) -> list[tuple[dict[str, Any], Sums]]:
        """Each group that has runs: what names it, and its sums. Days come in order, then the
        largest groups first."""
        named = [
            (dict(zip(self._names, group, strict=True)), sums)
            for group, sums in self._groups.items()
        ]
        named.sort(key=lambda each: (-each[1].total_tokens, -each[1].runs))
        by_day = "day" in self.group_by
        return sorted(named, key=lambda each: each[0]["day"]) if by_day else named

    @property
    def _names(self) -> list[str]:
        columns = {"day": ["day"], "agent": ["agent_id"], "key": ["key_id"]}
        return [name for by in self.group_by for name in columns.get(by, ["provider", "model"])]

    def _group(self, hour: int, row: dict[str, Any]) -> Sums:
        group = tuple(
            self.days.day_of(hour) if name == "day" else row[name] or None for name in self._names
        )
        if group not in self._groups and len(self._groups) == MAX_ROWS:
            raise TooManyRows
        return self._groups.setdefault(group, Sums())
