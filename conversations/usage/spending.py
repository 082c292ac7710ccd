"""The spending of keys in a month, kept as a sum: a budget is looked at before each message, and a
month may have a million runs."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from agents.access import key_states, lineage_of
from conversations.models import Run, Spending
from core.statements import places

KEPT = timedelta(days=62)  # of months that are over, for late runs and for the curious

ADD = """
INSERT INTO conversations_spending (lineage, month, amount)
SELECT apikey.lineage, %s, SUM(run.cost)
  FROM conversations_run run JOIN agents_apikey apikey ON apikey.id = run.api_key_id
 WHERE run.id IN ({keys}) AND run.cost > 0
 GROUP BY apikey.lineage ORDER BY apikey.lineage
ON CONFLICT (lineage, month) DO UPDATE
   SET amount = conversations_spending.amount + excluded.amount
"""


def add(runs: Iterable[Run]) -> None:
    """Count what these runs have cost, in the month in which each was asked for. Call it once for
    a run, in the transaction that stores its cost. Synchronous.

    Keys and months come in one order, or two with the same keys would wait for each other."""
    months: dict[str, list[str]] = defaultdict(list)
    for run in runs:
        if run.cost:
            months[month_of(run.created_at)].append(run.pk)
    for month in sorted(months):
        statement = ADD.format(keys=places(len(months[month])))
        with connection.cursor() as cursor:
            cursor.execute(statement, [month, *months[month]])


def used_up(key_id: str | None) -> bool:
    """Whether the key has a budget, and has spent it."""
    keys = key_states([key_id] if key_id else [])
    budgets = [key.monthly_budget for key in keys if key.monthly_budget is not None]
    return any(spent(key_id) >= budget for budget in budgets)


def spent(key_id: str | None) -> Decimal:
    """US dollars that the key, and the keys that share its budget, have spent in this month; also
    for conversations that have been deleted since."""
    lineage = lineage_of(key_id).values("lineage")[:1]
    rows = Spending.objects.filter(lineage=lineage, month=month_of(timezone.now()))
    return rows.values_list("amount", flat=True).first() or Decimal(0)


def purge() -> int:
    """Forget months that are over for long: one short row for each key."""
    return Spending.objects.filter(month__lt=month_of(timezone.now() - KEPT)).delete()[0]


def month_of(moment: datetime) -> str:
    """The month of a time, as `Spending` names it."""
    return f"{moment:%Y-%m}"
