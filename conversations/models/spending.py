"""What accounts have spent."""

from django.db import models


class Spending(models.Model):
    """The spending on an account in a period: see `usage.spending`."""

    account = models.CharField(max_length=210, db_column="lineage")
    period = models.CharField(max_length=10, db_column="month", help_text="2026-11-30, or total.")
    amount = models.DecimalField(max_digits=20, decimal_places=8)
    tokens = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "period"], name="spending_of_a_period")
        ]
