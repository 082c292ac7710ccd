"""Budgets: whose they are, and the periods that they count in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from agents.auth.visitors import owner_of, visitor_of
from metering.models import Budget

SPELLED = {Budget.Period.DAY: "%Y-%m-%d", Budget.Period.MONTH: "%Y-%m"}


@dataclass(frozen=True, kw_only=True)
class Spender:
    """The accounts that spend with a run: `lineage` is that of its key, `owner` that of its
    conversation, and `moment` the time at which it was accepted."""

    organization_id: str
    agent_id: str
    lineage: str | None
    owner: str
    moment: datetime


def account_of(budget: Budget, spender: Spender) -> str | None:
    """The account on which a budget counts what this one spends; None if it is not theirs."""
    if budget.organization_id != spender.organization_id:
        return None
    match budget.scope:
        case Budget.Scope.ORGANIZATION:
            mine = True
        case Budget.Scope.AGENT:
            mine = budget.target_id == spender.agent_id
        case Budget.Scope.KEY:
            mine = budget.target_id == spender.lineage
        case _ if budget.target_id:
            mine = owner_of(budget.target_id) == spender.owner
        case _:
            return f"{budget.id}:{spender.owner}" if visitor_of(spender.owner) else None
    return budget.id if mine else None


def period_of(budget: Budget, moment: datetime) -> str:
    """The period of a time, as accounts name it; days and months are of the organisation's time
    zone."""
    spelled = SPELLED.get(budget.period)
    if spelled is None:
        return "total"
    return moment.astimezone(budget.organization.zone).strftime(spelled)


def begin_of(budget: Budget, moment: datetime) -> datetime:
    """When the period of a time began."""
    local = moment.astimezone(budget.organization.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    match budget.period:
        case Budget.Period.DAY:
            return midnight
        case Budget.Period.MONTH:
            return midnight.replace(day=1)
    return budget.created_at


def resets_at(budget: Budget) -> datetime | None:
    """When the present period ends; None of a budget that counts for ever."""
    if budget.period == Budget.Period.TOTAL:
        return None
    begun = begin_of(budget, timezone.now())
    if budget.period == Budget.Period.DAY:
        return begin_of(budget, begun + timedelta(hours=36))
    return begin_of(budget, begun + timedelta(days=35))
