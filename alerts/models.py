"""Rules, the alerts that they raised, and mails about these."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from alerts.metrics import Metric
from engine.ids import new_id

MIN_WINDOW, MAX_WINDOW = 5, 86_400
"""Seconds."""


def rule_id() -> str:
    """A fresh id of a rule."""
    return new_id("rule")


def alert_id() -> str:
    """A fresh id of an alert."""
    return new_id("alrt")


class Comparison(models.TextChoices):
    """The side of the threshold on which the rule is broken."""

    ABOVE = "above"
    BELOW = "below"


class Severity(models.TextChoices):
    """How urgent an alert is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class AlertRule(models.Model):
    """A threshold of a metric. `agents` are ids; none means all of the organisation's. `agent_id`
    is the id if there is exactly one: readers of one agent see such rules.

    `broken_since` and `due_at` are kept by `alerts.access.due`."""

    id = models.CharField(primary_key=True, max_length=40, default=rule_id, editable=False)
    organization = models.ForeignKey("accounts.Organization", models.CASCADE)
    name = models.CharField(max_length=100)
    metric = models.CharField(max_length=20, choices=Metric.choices)
    agents = models.JSONField(default=list, blank=True)
    agent_id = models.CharField(max_length=40, blank=True, editable=False)
    threshold = models.FloatField(validators=[MinValueValidator(0)])
    resolve_threshold = models.FloatField(null=True, blank=True, validators=[MinValueValidator(0)])
    comparison = models.CharField(
        max_length=5, choices=Comparison.choices, default=Comparison.ABOVE
    )
    window_seconds = models.PositiveIntegerField(
        default=300, validators=[MinValueValidator(MIN_WINDOW), MaxValueValidator(MAX_WINDOW)]
    )
    for_seconds = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(MAX_WINDOW)])
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.WARNING)
    emails = models.JSONField(default=list, blank=True)
    webhooks = models.JSONField(default=list, blank=True, help_text="Their ids.")
    enabled = models.BooleanField(default=True)
    broken_since = models.DateTimeField(null=True, editable=False)
    due_at = models.DateTimeField(default=timezone.now, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(enabled=True), name="alert_rule_due")
        ]

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """A time during which a rule was broken. It keeps what it needs of the rule, which may change
    or be deleted."""

    id = models.CharField(primary_key=True, max_length=40, default=alert_id, editable=False)
    organization = models.ForeignKey("accounts.Organization", models.CASCADE, db_index=False)
    rule = models.ForeignKey(AlertRule, models.SET_NULL, null=True)
    rule_name = models.CharField(max_length=100)
    rule_key = models.CharField(max_length=40, help_text="The id of the rule, also without it.")
    agent_id = models.CharField(max_length=40, blank=True)
    metric = models.CharField(max_length=20)
    severity = models.CharField(max_length=8)
    comparison = models.CharField(max_length=5)
    threshold = models.FloatField()
    window_seconds = models.PositiveIntegerField()
    value = models.FloatField()
    triggered_at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule"], condition=Q(resolved_at=None), name="alert_open_once"
            )
        ]
        indexes = [
            models.Index(fields=["organization", "-triggered_at"], name="alerts_listed"),
            models.Index(
                fields=["organization"], condition=Q(resolved_at=None), name="alerts_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule_name} at {self.triggered_at}"


class Notice(models.Model):
    """Something about an alert that is still to be told: in the feed, to a mail address, or to a
    webhook, whose id is the address."""

    class Kind(models.TextChoices):
        FEED = "feed"
        MAIL = "mail"
        WEBHOOK = "webhook"

    alert = models.ForeignKey(Alert, models.CASCADE)
    kind = models.CharField(max_length=7, choices=Kind.choices)
    type = models.CharField(max_length=20, help_text="alert:triggered or alert:resolved.")
    address = models.CharField(max_length=254, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.type} of {self.alert_id} by {self.kind}"
