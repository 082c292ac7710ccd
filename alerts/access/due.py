"""Rules that are to be looked at, and what comes of it.

Many processes look for the same rules: each look belongs to the process that moves `due_at`, and an
alert begins and ends in a transaction that holds the rule's row."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from alerts.judging import Change, judge
from alerts.models import Alert, AlertRule, Notice

MAX_AT_ONCE = 20
"""Rules that a process takes at once."""
LOOKS = 10
"""In one window."""
MIN_INTERVAL, MAX_INTERVAL = timedelta(seconds=1), timedelta(seconds=30)
KEPT = timedelta(days=90)
"""For so long an alert that has resolved stays in the history."""
MAX_TRIMMED = 500


def claim() -> list[AlertRule]:
    """Take the enabled rules whose turn it is, the longest due first."""
    now = timezone.now()
    rows = AlertRule.objects.filter(enabled=True, due_at__lte=now).order_by("due_at")
    taken = []
    for row in rows[:MAX_AT_ONCE]:
        mine = AlertRule.objects.filter(pk=row.pk, due_at=row.due_at, enabled=True)
        if mine.update(due_at=now + interval(row)):
            taken.append(row)
    return taken


def interval(rule: AlertRule) -> timedelta:
    """The time between two looks at a rule."""
    wanted = timedelta(seconds=rule.window_seconds) / LOOKS
    return min(max(wanted, MIN_INTERVAL), MAX_INTERVAL)


@transaction.atomic
def settle(rule: AlertRule, value: float | None) -> tuple[Alert, Change] | None:
    """Store what a look at a rule has found; returns the alert that has begun or ended. A rule that
    was changed or deleted since it was claimed is left alone."""
    row = AlertRule.objects.select_for_update().filter(pk=rule.pk).first()
    if row is None or _watched(row) != _watched(rule):
        return None
    now = timezone.now()
    found = Alert.objects.filter(rule=row, resolved_at=None).first()
    judged = judge(row, value, now, is_open=found is not None)
    if judged.broken_since != row.broken_since:
        AlertRule.objects.filter(pk=row.pk).update(broken_since=judged.broken_since)
    match judged.change:
        case Change.TRIGGERS:
            return _trigger(row, value or 0.0, now), Change.TRIGGERS
        case Change.RESOLVES:
            found = resolve(row)
    return (found, judged.change) if found and judged.change else None


def resolve(rule: AlertRule) -> Alert | None:
    """End the open alert of a rule, whose row is locked; returns it. In a transaction only."""
    found = Alert.objects.filter(rule=rule, resolved_at=None).first()
    if found is not None:
        found.resolved_at = timezone.now()
        found.save(update_fields=("resolved_at",))
        _announce(rule, found, Change.RESOLVES)
    return found


def trim() -> bool:
    """Forget some alerts that have resolved long ago; returns whether there were any."""
    old = Alert.objects.filter(resolved_at__lt=timezone.now() - KEPT)
    some = list(old.values_list("pk", flat=True)[:MAX_TRIMMED])
    Alert.objects.filter(pk__in=some).delete()
    return bool(some)


def _watched(rule: AlertRule) -> tuple[object, ...]:
    return (rule.enabled, rule.metric, rule.agents, rule.comparison, rule.window_seconds)


def _trigger(rule: AlertRule, value: float, now: datetime) -> Alert:
    alert = Alert.objects.create(
        organization_id=rule.organization_id,
        rule=rule,
        rule_name=rule.name,
        rule_key=rule.pk,
        agent_id=rule.agent_id,
        metric=rule.metric,
        severity=rule.severity,
        comparison=rule.comparison,
        threshold=rule.threshold,
        window_seconds=rule.window_seconds,
        value=value,
        triggered_at=now,
    )
    _announce(rule, alert, Change.TRIGGERS)
    return alert


def _announce(rule: AlertRule, alert: Alert, change: Change) -> None:
    """Store what is to be told, in the transaction of the change: nothing of it is lost."""
    told = [Notice(alert=alert, type=change.value, kind=Notice.Kind.FEED)]
    for name, kind in (("emails", Notice.Kind.MAIL), ("webhooks", Notice.Kind.WEBHOOK)):
        told += [
            Notice(alert=alert, type=change.value, kind=kind, address=address)
            for address in getattr(rule, name)
        ]
    Notice.objects.bulk_create(told)
