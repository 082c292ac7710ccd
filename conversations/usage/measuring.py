"""The value of a metric of an alert rule."""

from datetime import datetime, timedelta

from alerts.metrics import Metric
from alerts.models import AlertRule
from conversations.access.measures import MEASURES, Window
from conversations.usage.keeping import balances
from metering.access import budgets_of
from metering.models import Budget


def measure(rule: AlertRule, now: datetime) -> float | None:
    """The value for the window that ends now, in the unit of the metric; None if there is none.
    Synchronous: one database step."""
    if rule.metric == Metric.BUDGET:
        return _fullest_budget(rule)
    begin = now - timedelta(seconds=rule.window_seconds)
    window = Window(rule.organization_id, rule.agents, begin, now)
    return MEASURES[rule.metric](window)


def _fullest_budget(rule: AlertRule) -> float:
    """The largest share, from 0 on, that is spent of a budget of the rule's agents; for a rule of
    all agents, of any budget."""
    rows = budgets_of([rule.organization_id])
    if rule.agents:
        rows = rows.filter(scope=Budget.Scope.AGENT, target_id__in=rule.agents)
    found = list(rows)
    return max((each.percent / 100 for each in balances(rule.organization_id, found)), default=0.0)
