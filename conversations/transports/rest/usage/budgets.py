"""`/api/budgets`: what an organisation, its agents, keys and visitors may spend."""

from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from agents.caller import Caller
from conversations.usage import keeping
from conversations.usage.keeping import Balance
from core.http import PAGE, Answer, given, newest, page_of, read, refusal
from metering import access
from metering.budgets import resets_at
from metering.models import Budget
from wire.description.openapi import Operation
from wire.objects import budgets as objects

_new = msgspec.json.Decoder(objects.NewBudget)
_fields = msgspec.json.Decoder(objects.BudgetFields)


def index(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /api/budgets`: the newest first."""
    organization_id = keeping.keeper(caller)
    rows, cursor = newest(access.budgets_of([organization_id]), page_of(request))
    left = keeping.balances(organization_id, rows)
    shown = [_shown(*each) for each in zip(rows, left, strict=True)]
    return Answer(objects.BudgetPage(budgets=shown, next_cursor=cursor))


def create(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/budgets`: 201."""
    keeping.keeper(caller)
    fields = given(read(_new, request))
    try:
        made = keeping.create(caller, fields)
    except ValidationError as error:
        raise refusal(error) from None
    return Answer(_one(made), 201)


def show(request: HttpRequest, caller: Caller, budget_id: str) -> Answer:
    """`GET /api/budgets/{id}`."""
    return Answer(_one(access.budget(keeping.keeper(caller), budget_id)))


def change(request: HttpRequest, caller: Caller, budget_id: str) -> Answer:
    """`PATCH /api/budgets/{id}`: more or less, from now on."""
    access.budget(keeping.keeper(caller), budget_id)
    fields = given(read(_fields, request))
    try:
        changed = keeping.change(caller, budget_id, fields)
    except ValidationError as error:
        raise refusal(error) from None
    return Answer(_one(changed))


def delete(request: HttpRequest, caller: Caller, budget_id: str) -> HttpResponse:
    """`DELETE /api/budgets/{id}`: 204."""
    keeping.delete(caller, budget_id)
    return HttpResponse(status=204)


def _one(budget: Budget) -> objects.Budget:
    return _shown(budget, keeping.balances(budget.organization_id, [budget])[0])


def _shown(row: Budget, left: Balance) -> objects.Budget:
    return objects.Budget(
        id=row.id,
        scope=row.scope,
        target_id=row.target_id or None,
        amount=_number(row.amount),
        tokens=row.tokens,
        period=row.period,
        soft_percent=row.soft_percent,
        hard=row.hard,
        spent=_number(left.spent),
        reserved=_number(left.reserved),
        remaining=_number(left.remaining),
        soft=left.spent is not None and left.percent >= row.soft_percent,
        resets_at=resets_at(row),
        created_at=row.created_at,
    )


def _number(value: Any) -> float | None:
    return None if value is None else round(float(value), 8)


OPERATIONS = (
    Operation(
        "GET",
        "budgets",
        index,
        name="listBudgets",
        summary="The budgets of the organisation and what is left of them, the newest first",
        scope="admin",
        parameters=PAGE,
        answers={200: (objects.BudgetPage,)},
    ),
    Operation(
        "POST",
        "budgets",
        create,
        name="createBudget",
        summary="Limit what the organisation, an agent, a key or visitors may spend",
        scope="admin",
        body=objects.NewBudget,
        answers={201: (objects.Budget,)},
    ),
    Operation(
        "GET",
        "budgets/<budget_id>",
        show,
        name="getBudget",
        summary="A budget and what is left of it",
        scope="admin",
        answers={200: (objects.Budget,)},
    ),
    Operation(
        "PATCH",
        "budgets/<budget_id>",
        change,
        name="changeBudget",
        summary="Change how much may be spent",
        scope="admin",
        body=objects.BudgetFields,
        body_required=False,
        answers={200: (objects.Budget,)},
    ),
    Operation(
        "DELETE",
        "budgets/<budget_id>",
        delete,
        name="deleteBudget",
        summary="Delete a budget: nothing is limited by it any more",
        scope="admin",
        answers={204: ()},
    ),
)
