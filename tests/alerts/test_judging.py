"""`alerts.judging`: the decision about a rule, over a series of values."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.judging import Change, judge
from alerts.models import AlertRule

BEGIN = datetime(2026, 11, 30, tzinfo=UTC)


def changes(rule: AlertRule, *values: float | None, step: int = 1) -> list[str]:
    """What happens while a rule has these values, one each `step` seconds: `0 triggers`."""
    found, is_open = [], False
    for number, value in enumerate(values):
        now = BEGIN + timedelta(seconds=number * step)
        judged = judge(rule, value, now, is_open=is_open)
        rule.broken_since = judged.broken_since
        if judged.change is not None:
            is_open = judged.change is Change.TRIGGERS
            found.append(f"{number} {judged.change.name.lower()}")
    return found


def test_it_works() -> None:
    assert changes(AlertRule(threshold=5), 5, 6, 7, 5, 6) == [
        "1 triggers",
        "3 resolves",
        "4 triggers",
    ]


def test_a_rule_that_wants_more() -> None:
    assert changes(AlertRule(threshold=5, comparison="below"), 5, 4, 5) == [
        "1 triggers",
        "2 resolves",
    ]


@pytest.mark.parametrize("comparison, sign", [("above", 1), ("below", -1)])
def test_a_value_about_the_threshold_makes_one_alert(comparison: str, sign: int) -> None:
    rule = AlertRule(threshold=10, resolve_threshold=10 - sign * 2, comparison=comparison)
    values = [10 + sign * each for each in (1, -1, 1, -1, -2, 1)]
    assert changes(rule, *values) == ["0 triggers", "4 resolves", "5 triggers"]


def test_a_rule_must_be_broken_for_a_while_without_a_break() -> None:
    rule = AlertRule(threshold=5, for_seconds=3)
    assert changes(rule, 6, 6, 5, 6, 6, 6, 6) == ["6 triggers"]


def test_without_a_value_it_is_not_broken() -> None:
    assert changes(AlertRule(threshold=0, for_seconds=2), 1, None, 1, 1) == []
    assert changes(AlertRule(threshold=0), 1, None) == ["0 triggers", "1 resolves"]
