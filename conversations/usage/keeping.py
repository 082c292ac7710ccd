"""The budgets of an organisation: set, changed, deleted, and what is left of them."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from agents.access import agents_named, lineage_of, require_every_agent
from agents.auth.visitors import owner_of, visitor_of
from agents.caller import Caller
from conversations.usage import spending
from conversations.usage.budgets import Funds
from conversations.usage.spending import Spent
from engine.errors import invalid
from metering import access
from metering.budgets import begin_of, period_of
from metering.models import Budget

MAX_BUDGETS = 100
"""Of an organisation: each message looks at all of them."""


class Balance(NamedTuple):
    """The spending of a budget in its present period, and the reservations of unfinished runs, in
    the budget's own unit. Both are None of a budget for each visitor."""

    spent: Decimal | int | None
    reserved: Decimal | int | None
    limit: Decimal | int

    @property
    def remaining(self) -> Decimal | int | None:
        """The rest, never less than 0."""
        if self.spent is None or self.reserved is None:
            return None
        return max(self.limit - self.spent - self.reserved, 0)

    @property
    def percent(self) -> int:
        """How much of it is spent."""
        return round(float(self.spent or 0) / float(self.limit) * 100) if self.limit else 100


def keeper(caller: Caller) -> str:
    """The organisation whose budgets the caller may see and set. Raises `forbidden`."""
    caller.principal.require("admin")
    require_every_agent(caller)
    return caller.principal.organization_id


@transaction.atomic
def create(caller: Caller, fields: dict[str, Any]) -> Budget:
    """A new budget. What was spent in its day or month before counts too, but for visitors. Raises
    `forbidden`, `invalid_message`, ValidationError."""
    organization_id = keeper(caller)
    if access.budgets_of([organization_id]).count() >= MAX_BUDGETS:
        raise invalid("$", f"An organisation has at most {MAX_BUDGETS} budgets.")
    budget = Budget(organization_id=organization_id, **fields)
    budget.full_clean()
    budget.target_id = _target(caller, budget.scope, budget.target_id)
    budget.save(force_insert=True)
    _count_before(budget)
    return budget


@transaction.atomic
def change(caller: Caller, budget_id: str, fields: dict[str, Any]) -> Budget:
    """Give a budget other values: a larger one holds at once. Raises `forbidden`, `not_found`,
    ValidationError."""
    budget = access.budget(keeper(caller), budget_id)
    for name, value in fields.items():
        setattr(budget, name, value)
    budget.full_clean()
    budget.save(update_fields=list(fields))
    return budget


@transaction.atomic
def delete(caller: Caller, budget_id: str) -> None:
    """Delete a budget and what was counted on it. Raises `forbidden`, `not_found`."""
    budget = access.budget(keeper(caller), budget_id)
    spending.forget(budget.pk)
    budget.delete()


def balances(organization_id: str, budgets: Sequence[Budget]) -> list[Balance]:
    """The rest of each of these budgets of the organisation. A constant number of queries."""
    now = timezone.now()
    places = [(each.pk, period_of(each, now)) for each in budgets]
    promised = Funds([organization_id]).promised(organization_id)
    spent = spending.balances(set(places))
    found = []
    for budget, place in zip(budgets, places, strict=True):
        taken = _sum(amount for on, amount in promised if place in on)
        found.append(_balance(budget, spent.get(place, Spent()), taken))
    return found


def _balance(budget: Budget, spent: Spent, reserved: Spent) -> Balance:
    if budget.scope == Budget.Scope.VISITOR and not budget.target_id:
        return Balance(None, None, budget.amount or budget.tokens or 0)
    if budget.amount is not None:
        return Balance(spent.amount, reserved.amount, budget.amount)
    return Balance(spent.tokens, reserved.tokens, budget.tokens or 0)


def _sum(amounts: Iterable[Spent]) -> Spent:
    total = Spent()
    for amount in amounts:
        total = total.plus(amount)
    return total


def _target(caller: Caller, scope: str, name: str) -> str:
    """The target as budgets keep it. Raises `invalid_message` if there is none of this name."""
    found: str | None = name
    if scope == Budget.Scope.ORGANIZATION:
        found = None if name else ""
    elif scope == Budget.Scope.AGENT:
        agents = agents_named(caller, [name])
        found = agents[0].id if agents else None
    elif scope == Budget.Scope.KEY:
        mine = lineage_of(name).filter(organization=caller.principal.organization_id)
        found = mine.values_list("lineage", flat=True).first()
    elif name:
        found = name if visitor_of(owner_of(name)) == name else None
    if found is None:
        raise invalid("targetId", "There is nothing of this name that a budget can be for.")
    return found


def _count_before(budget: Budget) -> None:
    """Counts what was spent in the budget's first period before there was the budget."""
    if budget.period == Budget.Period.TOTAL or budget.scope == Budget.Scope.VISITOR:
        return
    now = timezone.now()
    keys = lineage_of(budget.target_id).values("id") if budget.scope == Budget.Scope.KEY else None
    amount, tokens = access.used_since(budget, begin_of(budget, now), keys)
    spending.book({(budget.pk, period_of(budget, now)): Spent(amount, tokens)})
