"""The usage of runs that have ended, rolled up by the hour."""

from django.db import models


class UsageHour(models.Model):
    """What the runs of one agent, key and model have used that were accepted in one hour.

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
