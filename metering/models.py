"""The usage of runs that have ended, rolled up by the hour; and what may be used."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from engine.ids import new_id


class UsageHour(models.Model):
    """The usage of the runs of one agent, key and model that were accepted in one hour.

    Agents and keys are ids without a foreign key: deleting one refunds nothing. Times are
    histograms (`metering.histograms`), as JSON: `{"ttftMs": {"112": 3}}`."""

    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, db_index=False
    )
    hour = models.PositiveIntegerField(help_text="Hours since 1970, of UTC.")
    agent_id = models.CharField(max_length=40)
    key_id = models.CharField(max_length=40, blank=True, help_text="Empty: asked without a key.")
    provider = models.CharField(max_length=20)
    model = models.CharField(max_length=200)
    completed = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    interrupted = models.PositiveIntegerField(default=0)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    cost = models.PositiveBigIntegerField(
        default=0, help_text="Hundred-millionths of a US dollar: whole numbers add up exactly."
    )
    unpriced = models.PositiveIntegerField(default=0, help_text="Runs without a known cost.")
    estimated = models.PositiveIntegerField(
        default=0, help_text="Runs whose tokens are estimated in part."
    )
    times = models.TextField(default="{}")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "hour", "agent_id", "key_id", "provider", "model"],
                name="usage_of_an_hour",
            )
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} in hour {self.hour}"


def budget_id() -> str:
    """A fresh id of a budget."""
    return new_id("budg")


class Budget(models.Model):
    """The limit of spending in a period: US dollars or tokens, exactly one of them.

    `target_id` is an agent's id, the first key of a lineage, or a visitor's id; empty for the whole
    organisation, and for each visitor on their own."""

    class Scope(models.TextChoices):
        ORGANIZATION = "organization"
        AGENT = "agent"
        KEY = "key"
        VISITOR = "visitor"

    class Period(models.TextChoices):
        DAY = "day"
        MONTH = "month"
        TOTAL = "total"

    id = models.CharField(primary_key=True, max_length=40, default=budget_id, editable=False)
    organization = models.ForeignKey("accounts.Organization", on_delete=models.CASCADE)
    scope = models.CharField(max_length=12, choices=Scope.choices)
    target_id = models.CharField(max_length=160, blank=True)
    amount = models.DecimalField(
        max_digits=14, decimal_places=6, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    tokens = models.BigIntegerField(null=True, blank=True, validators=[MinValueValidator(0)])
    period = models.CharField(max_length=5, choices=Period.choices, default=Period.MONTH)
    soft_percent = models.PositiveSmallIntegerField(
        default=80, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    hard = models.BooleanField(default=True, help_text="Whether it ends answers, or only warns.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def clean(self) -> None:
        """It is of dollars or of tokens."""
        if (self.amount is None) == (self.tokens is None):
            raise ValidationError({"amount": "Say an amount in US dollars or a number of tokens."})

    def __str__(self) -> str:
        return f"{self.scope} {self.target_id} a {self.period}"
