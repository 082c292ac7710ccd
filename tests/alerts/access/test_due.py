"""`alerts.access.due`: rules are looked at by one process, and fire once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from alerts.access import due, rules
from alerts.judging import Change
from alerts.models import Alert, AlertRule, Notice

Rule = Callable[..., AlertRule]


def test_it_works(rule: Rule) -> None:
    row = rule(window_seconds=20, emails=["ada@example.com"], webhooks=["hook_1"])
    assert due.claim() == [row]
    assert due.claim() == []
    assert due.settle(row, 1) is None
    alert, change = due.settle(row, 1.5) or pytest.fail("It is broken.")
    assert (alert.value, alert.threshold, change) == (1.5, 1, Change.TRIGGERS)
    told = Notice.objects.order_by("pk").values_list("kind", "address")
    assert list(told) == [("feed", ""), ("mail", "ada@example.com"), ("webhook", "hook_1")]
    assert due.settle(row, 2) is None
    ended, change = due.settle(row, 0) or pytest.fail("It is kept again.")
    assert (ended, change) == (alert, Change.RESOLVES)
    assert ended.resolved_at is not None
    assert Notice.objects.count() == 6


@pytest.mark.parametrize("window, seconds", [(5, 1), (100, 10), (86_400, 30)])
def test_short_windows_are_looked_at_more_often(rule: Rule, window: int, seconds: int) -> None:
    assert due.interval(rule(window_seconds=window)) == timedelta(seconds=seconds)


def test_what_two_processes_find_is_one_alert(rule: Rule) -> None:
    row = rule()
    again = AlertRule.objects.get()
    due.settle(row, 2)
    assert due.settle(again, 2) is None
    assert Alert.objects.count() == 1


def test_a_rule_that_was_changed_meanwhile_is_left_alone(rule: Rule) -> None:
    row = rule()
    rules.change(row.organization_id, row.pk, {"metric": "tokens", "threshold": 1000})
    assert due.settle(row, 900) is None
    rules.delete(row.organization_id, row.pk)
    assert due.settle(row, 900) is None
    assert not Alert.objects.exists()


def test_a_rule_that_is_not_enabled_is_not_looked_at(rule: Rule) -> None:
    rule(enabled=False)
    assert due.claim() == []


def test_old_alerts_are_forgotten(rule: Rule) -> None:
    row = rule()
    due.settle(row, 2)
    assert not due.trim()
    due.settle(row, 0)
    Alert.objects.update(resolved_at=timezone.now() - due.KEPT - timedelta(seconds=1))
    assert due.trim()
    assert not Alert.objects.exists()
