"""The only way to the rows of usage and of budgets: an organisation's own."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db.models import F, QuerySet, Sum

from agents.models import Agent, ApiKey
from engine.errors import ClawError
from metering.models import Budget, UsageHour
from metering.recording import UNITS, hour_of


def hours(organization_id: str, between: range) -> QuerySet[UsageHour]:
    """The usage of the organisation in these hours."""
    return UsageHour.objects.filter(
        organization=organization_id, hour__gte=between.start, hour__lt=between.stop
    )


def names(organization_id: str) -> dict[str, str]:
    """The names of the organisation's agents and keys, by their ids."""
    agents = Agent.objects.filter(organization=organization_id).values_list("id", "name")
    keys = ApiKey.objects.filter(organization=organization_id).values_list("id", "name")
    return dict(agents) | dict(keys)


def budgets_of(organization_ids: Collection[str]) -> QuerySet[Budget]:
    """The budgets of these organisations, each with its organisation."""
    rows = Budget.objects.filter(organization__in=organization_ids)
    return rows.select_related("organization")


def budget(organization_id: str, budget_id: str) -> Budget:
    """One budget of the organisation. Raises `not_found`."""
    rows = budgets_of([organization_id])
    found = None if "\0" in budget_id else rows.filter(id=budget_id).first()
    if found is None:
        raise ClawError("not_found", "There is no such budget.")
    return found


def used_since(
    budget: Budget, moment: datetime, key_ids: QuerySet[ApiKey] | None
) -> tuple[Decimal, int]:
    """US dollars and tokens of the runs that a budget is for, from the hour of a moment on;
    `key_ids` are those of a budget of a key."""
    rows = UsageHour.objects.filter(organization=budget.organization, hour__gte=hour_of(moment))
    if budget.scope == Budget.Scope.AGENT:
        rows = rows.filter(agent_id=budget.target_id)
    if key_ids is not None:
        rows = rows.filter(key_id__in=key_ids)
    used = rows.aggregate(
        cost=Sum("cost", default=0), tokens=Sum(F("input_tokens") + F("output_tokens"), default=0)
    )
    return Decimal(used["cost"]) / UNITS, used["tokens"]
