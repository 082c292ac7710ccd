"""Charts of usage by day, as bars that need no script."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from console.usage.numbers import money, short_time, whole
from metering.objects import UsageRow

WIDTH, HEIGHT, GAP = 600, 96, 0.2
"""Of a drawing, in its own units; the gap between two bars is a part of a bar."""

Days: TypeAlias = Sequence[tuple[date, UsageRow | None]]


@dataclass(frozen=True)
class Bar:
    """One day. `bad` is the height of the part of it that went wrong."""

    x: float
    width: float
    height: float
    bad: float
    title: str

    @property
    def y(self) -> float:
        """The top of the bar."""
        return HEIGHT - self.height

    @property
    def bad_y(self) -> float:
        """The top of the bad part."""
        return HEIGHT - self.bad


@dataclass(frozen=True)
class Chart:
    """Bars with what the largest of them means; `most` is empty where there is nothing."""

    title: str
    most: str
    bars: list[Bar]


def charts(days: Days) -> list[Chart]:
    """Those of the usage page."""
    return [
        _chart("Tokens a day", days, lambda row: row.total_tokens, whole),
        _chart("Cost a day", days, lambda row: row.cost, money),
        _chart(
            "Runs a day, failed ones in red",
            days,
            lambda row: row.runs,
            whole,
            lambda row: row.errors,
        ),
        _chart("First token, 95 % within", days, lambda row: row.ttft_p95_ms, short_time),
    ]


def _chart(
    title: str,
    days: Days,
    value: Callable[[UsageRow], float | None],
    say: Callable[[float], str],
    bad: Callable[[UsageRow], float] = lambda row: 0,
) -> Chart:
    values = [(day, row and (value(row) or 0), row and bad(row)) for day, row in days]
    most = max((each or 0 for _, each, _ in values), default=0)
    step = WIDTH / max(1, len(values))
    bars = [
        Bar(
            x=round(place * step, 2),
            width=round(step * (1 - GAP), 2),
            height=round((each or 0) / most * HEIGHT, 2) if most else 0,
            bad=round((wrong or 0) / most * HEIGHT, 2) if most else 0,
            title=f"{day:%d %b %Y}: {say(each or 0)}" + (f", {wrong} failed" if wrong else ""),
        )
        for place, (day, each, wrong) in enumerate(values)
    ]
    return Chart(title, say(most) if most else "", bars)
