"""The last two weeks of an agent as a small picture: its runs and its errors, day by day."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone

from console import access
from metering.recording import hour_of

DAYS = 14
HOURS = 24
HEIGHT, STEP, WIDTH = 24, 6, 5
"""Of the picture, of a day in it, and of its bar."""


@dataclass(frozen=True)
class Bar:
    """A day: where its bar is, and how high it and its part of errors are."""

    x: int
    height: int
    failed: int

    @property
    def y(self) -> int:
        """The upper end of the bar."""
        return HEIGHT - self.height

    @property
    def failed_y(self) -> int:
        """The upper end of its part of errors, which is at the bottom."""
        return HEIGHT - self.failed


@dataclass(frozen=True)
class Sparkline:
    """The runs and the errors of an agent, in all and by day."""

    runs: int
    errors: int
    bars: list[Bar]


def sparklines(organization_id: str, agent_ids: Iterable[str]) -> dict[str, Sparkline]:
    """By agent: the last 14 times 24 hours, the present one included; one query for all."""
    end = hour_of(timezone.now()) + 1
    between = range(end - DAYS * HOURS, end)
    days: dict[str, list[tuple[int, int]]] = {id_: [(0, 0)] * DAYS for id_ in agent_ids}
    for agent_id, day, runs, errors in access.runs_by_day(organization_id, list(days), between):
        days[agent_id][day] = (runs, errors)
    return {agent_id: drawn(counts) for agent_id, counts in days.items()}


def drawn(days: list[tuple[int, int]]) -> Sparkline:
    """The picture of these numbers of runs and errors, as high as its busiest day."""
    most = max(runs for runs, _ in days)
    bars = [
        Bar(n * STEP, _height(runs, most), _height(errors, most))
        for n, (runs, errors) in enumerate(days)
    ]
    return Sparkline(sum(runs for runs, _ in days), sum(errors for _, errors in days), bars)


def _height(count: int, most: int) -> int:
    """A day with few is seen too."""
    return max(2, round(count * HEIGHT / most)) if count else 0
