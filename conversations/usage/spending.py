"""The spending on an account in a period, kept as a sum: budgets are looked at before each
message, and a month may have a million runs.

The account of a key's monthly budget is its lineage, in months of UTC. Those of other budgets are
named by `metering.budgets`."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from agents.access import lineage_of
from conversations.models import Run, Spending
from core.chunks import chunks
from core.statements import places

KEPT = timedelta(days=62)  # of periods that are over, for late runs and for the curious

OF_KEYS = """
INSERT INTO conversations_spending (lineage, month, amount, tokens)
SELECT apikey.lineage, %s, SUM(run.cost), 0
  FROM conversations_run run JOIN agents_apikey apikey ON apikey.id = run.api_key_id
 WHERE run.id IN ({keys}) AND run.cost > 0
 GROUP BY apikey.lineage ORDER BY apikey.lineage
ON CONFLICT (lineage, month) DO UPDATE
   SET amount = conversations_spending.amount + excluded.amount
"""
ON_ACCOUNTS = """
INSERT INTO conversations_spending (lineage, month, amount, tokens) VALUES {rows}
ON CONFLICT (lineage, month) DO UPDATE
   SET amount = conversations_spending.amount + excluded.amount,
       tokens = conversations_spending.tokens + excluded.tokens
"""

Place: TypeAlias = tuple[str, str]
"""An account and a period."""


class Spent(NamedTuple):
    """US dollars and tokens."""

    amount: Decimal = Decimal(0)
    tokens: int = 0

    def plus(self, other: "Spent") -> "Spent":
        """Both together."""
        return Spent(self.amount + other.amount, self.tokens + other.tokens)


def add(runs: Iterable[Run]) -> None:
    """Count what these runs have cost, for their keys, in the month in which each was asked for.
    Call it once for a run, in the transaction that stores its cost. Synchronous.

    Keys and months come in one order, or two with the same keys would wait for each other."""
    months: dict[str, list[str]] = defaultdict(list)
    for run in runs:
        if run.cost:
            months[month_of(run.created_at)].append(run.pk)
    for month in sorted(months):
        statement = OF_KEYS.format(keys=places(len(months[month])))
        with connection.cursor() as cursor:
            cursor.execute(statement, [month, *months[month]])


def book(spent: dict[Place, Spent]) -> None:
    """Add this to the accounts, in one order like `add`. Synchronous."""
    for some in chunks(sorted(spent), 4):
        rows = ", ".join(["(%s, %s, %s, %s)"] * len(some))
        values = [
            each for place in some for each in (*place, str(spent[place][0]), spent[place][1])
        ]
        with connection.cursor() as cursor:
            cursor.execute(ON_ACCOUNTS.format(rows=rows), values)


def balances(of: Collection[Place]) -> dict[Place, Spent]:
    """What was spent there, also for conversations that have been deleted since; a place where
    nothing was is left out. Synchronous."""
    if not of:
        return {}
    wanted = Q(account__in={account for account, _ in of}, period__in={period for _, period in of})
    rows = Spending.objects.filter(wanted).values_list("account", "period", "amount", "tokens")
    return {(account, period): Spent(amount, tokens) for account, period, amount, tokens in rows}


def forget(account: str) -> None:
    """Forget an account, and those of single visitors that belong to it."""
    mine = Q(account=account) | Q(account__startswith=f"{account}:")
    Spending.objects.filter(mine).delete()


def spent(key_id: str | None) -> Decimal:
    """US dollars that the key, and the keys that share its budget, have spent in this month."""
    lineage = lineage_of(key_id).values("lineage")[:1]
    rows = Spending.objects.filter(account=lineage, period=month_of(timezone.now()))
    return rows.values_list("amount", flat=True).first() or Decimal(0)


def purge() -> int:
    """Forget periods that are over for long: one short row for each account."""
    return Spending.objects.filter(period__lt=month_of(timezone.now() - KEPT)).delete()[0]


def month_of(moment: datetime) -> str:
    """The month of a time, of UTC, as accounts name it."""
    return f"{moment:%Y-%m}"
