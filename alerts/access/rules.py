"""An organisation's own rules and alerts."""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet

from alerts.access.due import resolve
from alerts.models import Alert, AlertRule, Comparison
from engine.errors import ClawError, invalid

MAX_RULES = 50
"""Of one organisation: each is a query every few seconds."""
MAX_ADDRESSES = 10
"""Mail addresses of one rule, and webhooks."""
MAX_OPEN = 200
"""Open alerts in the state of the command center."""

Agents = Collection[str] | None
"""The ids of the agents that the reader sees; None is all of the organisation's."""


def rules_of(organization_id: str, agents: Agents = None) -> QuerySet[AlertRule]:
    """The organisation's rules, or those about one of these agents alone."""
    rows = AlertRule.objects.filter(organization=organization_id)
    return rows if agents is None else rows.filter(agent_id__in=agents)


def rule(
    organization_id: str, rule_id: str, agents: Agents = None, *, lock: bool = False
) -> AlertRule:
    """One of `rules_of`; `lock` keeps others from changing it until the transaction ends. Raises
    `not_found`."""
    rows = rules_of(organization_id, agents).filter(id=rule_id)
    found = None if "\0" in rule_id else (rows.select_for_update() if lock else rows).first()
    if found is None:
        raise ClawError("not_found", "There is no such alert rule.")
    return found


def alerts_of(organization_id: str, agents: Agents = None) -> QuerySet[Alert]:
    """The organisation's alerts, or those about one of these agents alone."""
    rows = Alert.objects.filter(organization=organization_id)
    return rows if agents is None else rows.filter(agent_id__in=agents)


def open_alerts(organization_id: str, agents: Agents = None) -> QuerySet[Alert]:
    """The alerts that have not resolved, the newest first."""
    rows = alerts_of(organization_id, agents).filter(resolved_at=None)
    return rows.order_by("-triggered_at")[:MAX_OPEN]


@transaction.atomic
def create(organization_id: str, fields: dict[str, Any]) -> AlertRule:
    """A new rule. Raises `invalid_message`, ValidationError."""
    if rules_of(organization_id).count() >= MAX_RULES:
        raise invalid("$", f"An organisation has at most {MAX_RULES} alert rules.")
    row = AlertRule(organization_id=organization_id)
    _set(row, fields)
    row.save(force_insert=True)
    return row


@transaction.atomic
def change(organization_id: str, rule_id: str, fields: dict[str, Any]) -> AlertRule:
    """Give a rule other values. Its open alert resolves if what is watched changes, or if the rule
    is disabled. Raises `not_found`, `invalid_message`, ValidationError."""
    row = rule(organization_id, rule_id, lock=True)
    watched = {name: getattr(row, name) for name in ("metric", "agents", "comparison", "enabled")}
    _set(row, fields)
    if any(getattr(row, name) != value for name, value in watched.items()):
        row.broken_since = None
        resolve(row)
    row.save()
    return row


@transaction.atomic
def delete(organization_id: str, rule_id: str) -> None:
    """Delete a rule; its open alert resolves. Raises `not_found`."""
    row = rule(organization_id, rule_id, lock=True)
    resolve(row)
    row.delete()


def _set(row: AlertRule, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.agent_id = row.agents[0] if len(row.agents) == 1 else ""
    row.full_clean(exclude=("organization",))
    _check_thresholds(row)
    _check_addresses(row)


def _check_thresholds(row: AlertRule) -> None:
    """The threshold of the end lies on the other side."""
    if row.resolve_threshold is None:
        return
    gap = row.threshold - row.resolve_threshold
    if (gap if row.comparison == Comparison.ABOVE else -gap) < 0:
        side = "at most" if row.comparison == Comparison.ABOVE else "at least"
        raise ValidationError({"resolve_threshold": f"This is {side} the threshold."})


def _check_addresses(row: AlertRule) -> None:
    for name in ("emails", "webhooks"):
        if len(getattr(row, name)) > MAX_ADDRESSES:
            raise ValidationError({name: f"A rule has at most {MAX_ADDRESSES} of them."})
    for address in row.emails:
        try:
            validate_email(address)
        except ValidationError:
            raise ValidationError({"emails": "One of these is no e-mail address."}) from None
