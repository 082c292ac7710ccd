"""The objects of budgets in the REST API."""

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wire.parse import Moment

Scope = Annotated[
    str, Meta(extra_json_schema={"enum": ["organization", "agent", "key", "visitor"]})
]
Period = Annotated[str, Meta(extra_json_schema={"enum": ["day", "month", "total"]})]
Percent = Annotated[int, Meta(ge=1, le=100)]
Amount = Annotated[Decimal, Meta(extra_json_schema={"type": "number", "minimum": 0})]
Tokens = Annotated[int, Meta(ge=0, le=2**53)]


class BudgetFields(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The fields of a budget that can be changed. Exactly one of `amount` (USD) and `tokens` is
    set; the other one is null."""

    amount: Amount | UnsetType | None = UNSET
    tokens: Tokens | UnsetType | None = UNSET
    soft_percent: Percent | UnsetType = UNSET
    hard: bool | UnsetType = UNSET


class NewBudget(BudgetFields, frozen=True, kw_only=True, rename="camel"):
    """A new budget. `target_id` is the id of an agent, a key or a visitor (`anon:...` or
    `user:...`); without it a budget of visitors is for each of them."""

    scope: Scope
    target_id: Annotated[str, Meta(max_length=160)] | UnsetType = UNSET
    period: Period | UnsetType = UNSET


class Budget(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A budget in its present period. `reserved` is what unfinished runs may come to use; the
    three numbers are of the unit of the budget, and null of a budget for each visitor. `soft` says
    that the soft limit is passed."""

    id: str
    scope: Scope
    target_id: str | None
    amount: float | None
    tokens: int | None
    period: Period
    soft_percent: int
    hard: bool
    spent: float | None
    reserved: float | None
    remaining: float | None
    soft: bool
    resets_at: Moment | None
    created_at: Moment


class BudgetPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Budgets, the newest first; `next_cursor` is for `before`."""

    budgets: list[Budget]
    next_cursor: str | None
