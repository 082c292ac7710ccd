"""The decision whether a rule is broken: pure, with the time handed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from alerts.models import AlertRule, Comparison


class Change(Enum):
    """The change of a rule's alert; the value is the type of its message in the feed."""

    TRIGGERS = "alert:triggered"
    RESOLVES = "alert:resolved"


@dataclass(frozen=True)
class Judged:
    """The next `broken_since` of a rule, and the change of its alert if there is one."""

    broken_since: datetime | None
    change: Change | None = None


def judge(rule: AlertRule, value: float | None, now: datetime, *, is_open: bool) -> Judged:
    """Compare a value with the thresholds of a rule, of which an alert may be open.

    A rule must be broken for `for_seconds` before an alert triggers. It resolves on the other side
    of `resolve_threshold`, so that a value which moves about the threshold makes one alert. A rule
    without a value is not broken."""
    if is_open:
        return _while_open(rule, value)
    if not _beyond(rule, value, rule.threshold):
        return Judged(None)
    since = rule.broken_since or now
    lasts = now - since >= timedelta(seconds=rule.for_seconds)
    return Judged(since, Change.TRIGGERS if lasts else None)


def _while_open(rule: AlertRule, value: float | None) -> Judged:
    limit = rule.threshold if rule.resolve_threshold is None else rule.resolve_threshold
    if _beyond(rule, value, limit):
        return Judged(rule.broken_since)
    return Judged(None, Change.RESOLVES)


def _beyond(rule: AlertRule, value: float | None, limit: float) -> bool:
    if value is None:
        return False
    return value > limit if rule.comparison == Comparison.ABOVE else value < limit
