"""The numbers that a rule can watch."""

from django.db import models


class Metric(models.TextChoices):
    """A number about the runs of an organisation, or of some of its agents, in a window of time.
    `UNITS` has the unit of each."""

    ERROR_RATE = "error_rate", "Share of runs that failed"
    PROVIDER_ERRORS = "provider_errors", "Runs that failed because of a model server"
    LATENCY_P95 = "latency_p95", "Duration of answers, 95th percentile"
    TTFT_P95 = "ttft_p95", "Time to the first token, 95th percentile"
    RUNS = "runs", "Messages that were accepted"
    TOKENS = "tokens", "Tokens of runs that ended"
    COST = "cost", "Cost of runs that ended"
    VISITOR_COST = "visitor_cost", "Cost of the visitor who cost most"
    BUDGET = "budget", "Share of the fullest budget that is spent"
    QUEUE_AGE = "queue_age", "Age of the oldest run that no worker has begun"


UNITS: dict[str, str] = {
    "error_rate": "ratio",
    "provider_errors": "runs",
    "latency_p95": "ms",
    "ttft_p95": "ms",
    "runs": "runs",
    "tokens": "tokens",
    "cost": "USD",
    "visitor_cost": "USD",
    "budget": "ratio",
    "queue_age": "ms",
}
"""A ratio is from 0 to 1."""
