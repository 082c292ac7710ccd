"""Budgets are kept: what a run may use is reserved as it is accepted, and settled at its end.

`Run.reserved` is null where no budget applies. Else it has the `cost` (US dollars) and the `tokens`
that the run may use, each if a budget limits them. The reservation of an unfinished run counts as
spent for all others. Those who reserve for the same organisation wait for each other, in all
processes, so no more is promised than there is."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from agents.access import lineage_of
from agents.config import AgentConfig
from agents.outbound.credentials import base_url
from conversations.models import UNFINISHED, Run
from conversations.usage import spending
from conversations.usage.spending import Place, Spent
from core.database import database_step
from engine.errors import ClawError
from engine.limits.purse import Amount, Grant, More, Purse
from engine.usage import estimate_tokens, price_list_of, rates_of
from metering.budgets import Spender, account_of, period_of
from metering.current import current_budgets
from metering.models import Budget

HOLD = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
USED_UP = {
    Budget.Scope.ORGANIZATION: "The organisation has used up its budget.",
    Budget.Scope.AGENT: "This agent has used up its budget.",
    Budget.Scope.KEY: "This key has used up its budget.",
    Budget.Scope.VISITOR: "You have used up your budget.",
}
OF_THE_MONTH = "This key has used up its budget for the month."


@dataclass(frozen=True)
class Need:
    """The least use of a run, for its prompt, and the most, with the longest answer."""

    least: Spent
    most: Spent

    @classmethod
    def of(cls, agent: AgentConfig, text_length: int, before: int) -> "Need":
        """Of a message of so many characters, in a conversation whose last answer took `before`
        tokens with all that came before it."""
        prompt = max(before, estimate_tokens(len(agent.instructions)))
        prices = price_list_of(agent.provider, base_url(agent))
        prompt += estimate_tokens(text_length)
        rates, answer = rates_of(prices, agent.model), agent.max_tokens
        amounts = [(rates.cost(prompt, each), prompt + each) for each in (0, answer)]
        return cls.between(*amounts)

    @classmethod
    def between(cls, least: Amount, most: Amount) -> "Need":
        """Of amounts as `engine.limits.purse` has them."""
        return cls(*(Spent(Decimal(str(round(cost, 8))), each) for cost, each in (least, most)))


class Limit(NamedTuple):
    """How much may be spent at a place, and what is said when it is not enough."""

    place: Place
    amount: Decimal | None
    tokens: int | None
    refusal: str


class Funds:
    """The rest of the budgets of some organisations, in one transaction.

    Costs no query where there are no budgets. Synchronous."""

    def __init__(self, organization_ids: Collection[str]) -> None:
        self._budgets = current_budgets(organization_ids)
        self._promised: dict[str, list[tuple[set[Place], dict[str, Any]]]] = {}
        self._lineages: dict[str, str | None] = {}

    def reserve(
        self, run: Run, need: Callable[[], Need], keyed: Decimal | None
    ) -> dict[str, Any] | None:
        """The value of `Run.reserved` for a run that is about to be stored, or may use more;
        `need` is asked for where a budget applies, `keyed` is the monthly budget of its key.

        Raises `budget_exceeded` if what is left does not cover the prompt."""
        spender = self._spender(run)
        places = self._places(spender)
        limits = self._limits(spender, keyed)
        if not places and not limits:
            return None
        promised = self._hold(run.organization_id, but=run.pk)
        reserved = _granted(limits, promised, need())
        promised.append((places | {limit.place for limit in limits}, reserved))
        return reserved

    def promised(self, organization_id: str) -> list[tuple[set[Place], Spent]]:
        """The reservations of an organisation's unfinished runs, and where they count."""
        return [
            (places, Spent(Decimal(str(each.get("cost", 0))), each.get("tokens", 0)))
            for places, each in self._hold(organization_id, but="")
        ]

    def places(self, run: Run) -> set[Place]:
        """Where what the run uses is counted."""
        return self._places(self._spender(run))

    def _hold(self, organization_id: str, but: str) -> list[tuple[set[Place], dict[str, Any]]]:
        """Wait for others who reserve for this organisation, then see what they have reserved, all
        but a run itself."""
        if organization_id not in self._promised:
            if connection.vendor == "postgresql":  # SQLite has one writer
                with connection.cursor() as cursor:
                    cursor.execute(HOLD, [f"budgets of {organization_id}"])
            runs = Run.objects.filter(UNFINISHED, organization=organization_id)
            rows = runs.exclude(reserved=None).exclude(pk=but).select_related("api_key")
            found = rows.defer("config", "foreign", "usage")
            self._promised[organization_id] = [
                (self._places(spender) | _place_of_key(spender), run.reserved or {})
                for run, spender in ((run, _spender(run, _lineage(run))) for run in found)
            ]
        return self._promised[organization_id]

    def _spender(self, run: Run) -> Spender:
        """Of a run whose key has not been loaded with it."""
        key = run.api_key_id
        if key is not None and key not in self._lineages:
            self._lineages[key] = lineage_of(key).values_list("lineage", flat=True).first()
        return _spender(run, self._lineages.get(key) if key else None)

    def _places(self, spender: Spender) -> set[Place]:
        return {
            (account, period_of(each, spender.moment))
            for each in self._budgets
            if (account := account_of(each, spender)) is not None
        }

    def _limits(self, spender: Spender, keyed: Decimal | None) -> list[Limit]:
        found = [
            Limit(
                (account, period_of(each, spender.moment)),
                each.amount,
                each.tokens,
                USED_UP[each.scope],
            )
            for each in self._budgets
            if each.hard and (account := account_of(each, spender)) is not None
        ]
        if keyed is not None:
            found += [Limit(place, keyed, None, OF_THE_MONTH) for place in _place_of_key(spender)]
        return found


def settle(runs: Iterable[Run]) -> None:
    """Count what these runs have used on the accounts of their budgets. Call it once for a run, in
    the transaction that stores its end. Synchronous."""
    concerned = [run for run in runs if run.reserved is not None]
    if not concerned:
        return
    funds = Funds({run.organization_id for run in concerned})
    booked: dict[Place, Spent] = {}
    for run in concerned:
        used = Spent(run.cost or Decimal(0), (run.usage or {}).get("totalTokens", 0))
        for place in funds.places(run):
            booked[place] = booked.get(place, Spent()).plus(used)
    spending.book(booked)


def purse_of(run: Run, agent: AgentConfig) -> Purse | None:
    """The limit of the run's use; None where there is none."""
    if not run.reserved:
        return None
    rates = rates_of(price_list_of(agent.provider, base_url(agent)), agent.model)
    return Purse(_grant(run.reserved), rates, _asking(run.pk))


def _asking(run_id: str) -> More:
    async def more(least: Amount, most: Amount) -> Grant:
        return _grant(await database_step(extend, run_id, Need.between(least, most)))

    return more


def _grant(reserved: dict[str, Any] | None) -> Grant:
    given = reserved or {}
    return given.get("cost"), given.get("tokens")


@transaction.atomic
def extend(run_id: str, need: Need) -> dict[str, Any] | None:
    """Let a run that has used up what it reserved use more, as far as there is more; returns the
    new value of `Run.reserved`. `need` is all that it has used and may come to use. Raises
    `budget_exceeded`. Synchronous."""
    run = Run.objects.select_related("api_key").get(pk=run_id)
    keyed = run.api_key.monthly_budget if run.api_key else None
    reserved = Funds([run.organization_id]).reserve(run, lambda: need, keyed)
    Run.objects.filter(pk=run_id).update(reserved=reserved)
    return reserved


def _granted(
    limits: list[Limit], promised: list[tuple[set[Place], dict[str, Any]]], need: Need
) -> dict[str, Any]:
    """The limits of a run: its most, or the rest of the budgets. Raises `budget_exceeded`."""
    spent = spending.balances({limit.place for limit in limits})
    least, most, granted = need.least, need.most, dict[str, Any]()
    for limit in limits:
        taken = spent.get(limit.place, Spent())
        for places, reserved in promised:
            if limit.place in places:
                cost, tokens = reserved.get("cost", 0), reserved.get("tokens", 0)
                taken = taken.plus(Spent(Decimal(str(cost)), tokens))
        if limit.amount is not None:
            left = limit.amount - taken.amount
            if left <= 0 or left < least.amount:
                raise ClawError("budget_exceeded", limit.refusal)
            cost = float(min(left, most.amount))
            granted["cost"] = min(cost, granted.get("cost", cost))
        if limit.tokens is not None:
            rest = limit.tokens - taken.tokens
            if rest <= 0 or rest < least.tokens:
                raise ClawError("budget_exceeded", limit.refusal)
            rest = min(rest, most.tokens)
            granted["tokens"] = min(rest, granted.get("tokens", rest))
    return granted


def _spender(run: Run, lineage: str | None) -> Spender:
    return Spender(
        organization_id=run.organization_id,
        agent_id=run.agent_id,
        lineage=lineage,
        owner=run.owner,
        moment=run.created_at or timezone.now(),
    )


def _lineage(run: Run) -> str | None:
    return run.api_key.lineage if run.api_key else None


def _place_of_key(spender: Spender) -> set[Place]:
    """Where the monthly budget of a key counts."""
    if spender.lineage is None:
        return set()
    return {(spender.lineage, spending.month_of(spender.moment))}
