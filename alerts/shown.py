"""Rules and alerts as the API shows them."""

from msgspec import UNSET

from alerts.metrics import UNITS
from alerts.models import Alert, AlertRule
from wire.feed import FeedAlert
from wire.objects import alerts as objects


def shown_alert(row: Alert) -> FeedAlert:
    """An alert, in the feed and elsewhere."""
    return FeedAlert(
        id=row.id,
        rule_id=row.rule_key,
        name=row.rule_name,
        severity=row.severity,
        metric=row.metric,
        unit=UNITS[row.metric],
        comparison=row.comparison,
        value=row.value,
        threshold=row.threshold,
        window_seconds=row.window_seconds,
        triggered_at=row.triggered_at,
        resolved_at=row.resolved_at,
        agent_id=row.agent_id or UNSET,
    )


def shown_rule(row: AlertRule) -> objects.AlertRule:
    """A rule."""
    return objects.AlertRule(
        id=row.id,
        name=row.name,
        metric=row.metric,
        unit=UNITS[row.metric],
        agent_ids=row.agents,
        comparison=row.comparison,
        threshold=row.threshold,
        resolve_threshold=row.resolve_threshold,
        window_seconds=row.window_seconds,
        for_seconds=row.for_seconds,
        severity=row.severity,
        notify=objects.Notify(emails=row.emails, webhook_ids=row.webhooks),
        enabled=row.enabled,
        created_at=row.created_at,
    )
