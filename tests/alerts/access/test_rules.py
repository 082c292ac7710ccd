"""`alerts.access.rules`: an organisation's own rules."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Organization
from alerts.access import due, rules
from alerts.models import Alert, AlertRule
from engine.errors import ClawError

Rule = Callable[..., AlertRule]


def test_it_works(rule: Rule, acme: Organization, globex: Organization) -> None:
    mine = rule()
    assert list(rules.rules_of(acme.pk)) == [mine]
    assert rules.rule(acme.pk, mine.pk) == mine
    for organization, name in ((globex.pk, mine.pk), (acme.pk, "\0"), (acme.pk, "rule_no")):
        with pytest.raises(ClawError) as refused:
            rules.rule(organization, name)
        assert refused.value.code == "not_found"


def test_a_reader_of_one_agent_sees_what_is_about_it_alone(rule: Rule, acme: Organization) -> None:
    alone = rule(agents=["agt_1"])
    rule(agents=["agt_1", "agt_2"])
    rule()
    assert list(rules.rules_of(acme.pk, {"agt_1"})) == [alone]
    for each in rules.rules_of(acme.pk):
        due.settle(each, 2)
    assert [each.rule for each in rules.open_alerts(acme.pk, {"agt_1"})] == [alone]
    assert len(rules.open_alerts(acme.pk)) == 3


@pytest.mark.parametrize(
    "fields, name",
    [
        ({"threshold": -1}, "threshold"),
        ({"window_seconds": 4}, "window_seconds"),
        ({"resolve_threshold": 2}, "resolve_threshold"),
        ({"comparison": "below", "resolve_threshold": 0.5}, "resolve_threshold"),
        ({"emails": ["ada"]}, "emails"),
        ({"emails": ["ada@example.com\nBcc: all@example.com"]}, "emails"),
        ({"webhooks": ["hook"] * 11}, "webhooks"),
        ({"metric": "luck"}, "metric"),
    ],
)
def test_what_makes_no_rule_is_refused(rule: Rule, fields: dict[str, Any], name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        rule(**fields)
    assert name in refused.value.message_dict
    assert not AlertRule.objects.exists()


def test_there_are_at_most_so_many(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_RULES", 1)
    rule()
    with pytest.raises(ClawError, match="at most 1"):
        rule()


@pytest.mark.parametrize("fields", [{"enabled": False}, {"metric": "runs"}, {"agents": ["agt_1"]}])
def test_an_alert_resolves_when_its_rule_watches_something_else(
    rule: Rule, fields: dict[str, Any]
) -> None:
    row = rule()
    due.settle(row, 2)
    rules.change(row.organization_id, row.pk, {"name": "Other", "threshold": 1.5})
    assert Alert.objects.get().resolved_at is None
    rules.change(row.organization_id, row.pk, fields)
    assert Alert.objects.get().resolved_at is not None


def test_the_alert_of_a_deleted_rule_resolves_and_stays_in_the_history(rule: Rule) -> None:
    row = rule()
    due.settle(row, 2)
    rules.delete(row.organization_id, row.pk)
    alert = Alert.objects.get()
    assert (alert.rule, alert.rule_key, alert.rule_name) == (None, row.pk, "Cost")
    assert alert.resolved_at is not None
    assert [each.type for each in alert.notice_set.order_by("pk")] == [
        "alert:triggered",
        "alert:resolved",
    ]
