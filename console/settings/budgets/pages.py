"""`settings/budgets/`: what may be spent, and what is left of it."""

from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from agents import access as agents
from console.forms import report
from console.members import Member, for_members
from console.settings.budgets.forms import LimitForm, NewBudgetForm, initial_of
from console.usage.numbers import money, whole
from conversations.usage import keeping
from conversations.usage.keeping import Balance
from core.http import newest, page_of
from engine.errors import ClawError
from metering import access
from metering.budgets import resets_at
from metering.models import Budget

MAX_CHOICES = 200  # agents, and keys, to choose from
PERIODS = {"day": "a day", "month": "a month", "total": "in all"}


@dataclass(frozen=True)
class Line:
    """A budget as the page shows it."""

    budget: Budget
    balance: Balance
    whose: str

    @property
    def limit(self) -> str:
        """How much, and how often."""
        return f"{self.say(self.balance.limit)} {PERIODS[self.budget.period]}"

    @property
    def spent(self) -> str:
        """The amount that is spent."""
        return self.say(self.balance.spent)

    @property
    def reserved(self) -> str:
        """The amount that unfinished answers may use; empty if there are none."""
        return self.say(self.balance.reserved) if self.balance.reserved else ""

    @property
    def state(self) -> str:
        """`used up`, `nearly used up`, `open`; empty where each visitor has a balance."""
        if self.balance.spent is None:
            return ""
        if not self.balance.remaining:
            return "used up"
        near = self.balance.percent >= self.budget.soft_percent
        return "nearly used up" if near else "open"

    @property
    def resets_at(self) -> object:
        """When it begins anew."""
        return resets_at(self.budget)

    def say(self, value: Decimal | int | None) -> str:
        """An amount in the unit of the budget."""
        if self.budget.amount is not None:
            return money(None if value is None else float(value))
        return f"{whole(None if value is None else float(value))} tokens"


@require_safe
@for_members("admin")
def index(request: HttpRequest, member: Member) -> HttpResponse:
    """The newest first."""
    mine = member.organization.id
    rows, cursor = newest(access.budgets_of([keeping.keeper(member.caller)]), page_of(request))
    names = access.names(mine)
    balances = keeping.balances(mine, rows)
    context = {
        "section": "budgets",
        "lines": [
            Line(row, left, _whose(row, names)) for row, left in zip(rows, balances, strict=True)
        ],
        "cursor": cursor,
        "zone": member.organization.time_zone,
    }
    return render(request, "console/settings/budgets/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members("admin")
def create(request: HttpRequest, member: Member) -> HttpResponse:
    """`settings/budgets/new/`."""
    form = NewBudgetForm(
        request.POST or None,
        agents=list(agents.agents_listed(member.caller).order_by("name")[:MAX_CHOICES]),
        keys=list(agents.keys_of_organization(member.caller).filter(revoked_at=None)[:MAX_CHOICES]),
    )
    if request.method == "POST" and form.is_valid():
        try:
            keeping.create(member.caller, form.given())
        except (ClawError, ValidationError) as error:
            report(form, error)
        else:
            return redirect(member.address("budgets"))
    return render(
        request, "console/settings/budgets/new.html", {"section": "budgets", "form": form}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_members("admin")
def change(request: HttpRequest, member: Member, budget_id: str) -> HttpResponse:
    """`settings/budgets/<id>/`: more or less; or no budget any more."""
    budget = access.budget(keeping.keeper(member.caller), budget_id)
    form = LimitForm(request.POST or None, initial=initial_of(budget))
    if request.method == "POST" and form.is_valid():
        try:
            keeping.change(member.caller, budget_id, form.given())
        except (ClawError, ValidationError) as error:
            report(form, error)
        else:
            return redirect(member.address("budgets"))
    whose = _whose(budget, access.names(member.organization.id))
    context = {"section": "budgets", "form": form, "budget": budget, "whose": whose}
    return render(request, "console/settings/budgets/change.html", context)


def _whose(budget: Budget, names: dict[str, str]) -> str:
    match budget.scope:
        case Budget.Scope.ORGANIZATION:
            return "The whole organisation"
        case Budget.Scope.VISITOR:
            return f"Visitor {budget.target_id}" if budget.target_id else "Each visitor"
    kind = "Agent" if budget.scope == Budget.Scope.AGENT else "Key"
    return f"{kind} {names.get(budget.target_id, budget.target_id)}"
