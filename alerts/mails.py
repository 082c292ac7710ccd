"""The mails about alerts."""

from django.conf import settings

from accounts import mail
from alerts.judging import Change
from alerts.metrics import UNITS, Metric
from alerts.models import Alert

MAX_AN_HOUR = 60
"""Mails about alerts of one organisation."""
TRIGGERED = """{metric} is {value}, {comparison} {threshold}, in the last {window} seconds.

Rule: {rule} ({severity}). Since: {since}."""
RESOLVED = """The alert of {since} has ended at {until}.

Rule: {rule} ({severity}). {metric} was {value} when it began; the threshold is {threshold}."""


def send(alert: Alert, type: str, address: str) -> None:
    """Write to an address that an alert has begun or ended, and wait for the mail server. Raises
    `rate_limited`, `invalid_message`, `unavailable`. Synchronous."""
    mail.count(f"alerts:{alert.organization_id}", at_most=MAX_AN_HOUR)
    ended = type == Change.RESOLVES.value
    text = (RESOLVED if ended else TRIGGERED).format(
        metric=Metric(alert.metric).label,
        value=amount(alert.value, alert.metric),
        comparison=alert.comparison,
        threshold=amount(alert.threshold, alert.metric),
        window=alert.window_seconds,
        rule=alert.rule_name,
        severity=alert.severity,
        since=f"{alert.triggered_at:%Y-%m-%d %H:%M:%S} UTC",
        until=f"{alert.resolved_at:%Y-%m-%d %H:%M:%S} UTC" if alert.resolved_at else "",
    )
    if settings.CLAW_PUBLIC_URL:
        text += f"\n\n{settings.CLAW_PUBLIC_URL}/console/{alert.organization.slug}/alerts/"
    name = " ".join(alert.rule_name.split())
    mail.send(address, f"{'Resolved' if ended else 'Alert'}: {name}", text)


def amount(value: float, metric: str) -> str:
    """A value with its unit, as people read it: `3 %`, `1200 ms`, `0.25 USD`."""
    unit = UNITS[metric]
    return f"{value * 100:.4g} %" if unit == "ratio" else f"{value:.10g} {unit}"
