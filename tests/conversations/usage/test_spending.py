"""`conversations.usage.spending`: what keys have spent, as a sum that is never counted again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connections
from django.utils import timezone

from agents.auth.rotation import rotate
from conversations.models import Run, Spending
from conversations.usage import spending
from tests.conversations.parts import ask, reload


def run_of(caller, cost: float | None, **fields) -> Run:
    run = ask(caller).run
    Run.objects.filter(pk=run.pk).update(status="completed", cost=cost, **fields)
    return reload(run)


def test_it_works(caller, foreign_caller):
    spending.add([run_of(caller, 0.25), run_of(caller, 0.5), run_of(foreign_caller, 9)])
    spending.add([run_of(caller, 1), run_of(caller, None), run_of(caller, 0)])

    assert spending.spent(caller.principal.key_id) == Decimal("1.75")
    assert spending.spent(foreign_caller.principal.key_id) == 9
    assert Spending.objects.count() == 2


def test_nothing_is_nothing(caller):
    spending.add([])
    spending.add([run_of(caller, None)])
    assert spending.spent(caller.principal.key_id) == 0


def test_each_month_has_a_sum(caller):
    last = timezone.now().replace(day=1) - timedelta(days=2)
    spending.add([run_of(caller, 4), run_of(caller, 8, created_at=last)])

    assert spending.spent(caller.principal.key_id) == 4
    assert sorted(Spending.objects.values_list("amount", flat=True)) == [4, 8]


def test_a_month_is_named_as_it_sorts():
    assert spending.month_of(datetime(2026, 3, 31, 23, 59, tzinfo=UTC)) == "2026-03"


def test_what_was_spent_stays_spent_when_the_conversation_or_the_key_is_deleted(caller, key):
    run = run_of(caller, 3)
    spending.add([run])
    successor, _ = rotate(key[0])
    run.conversation.delete()
    key[0].delete()

    assert spending.spent(successor.id) == 3


def test_months_that_are_over_for_long_are_forgotten(caller):
    long_ago = timezone.now() - timedelta(days=100)
    spending.add([run_of(caller, 1), run_of(caller, 1, created_at=long_ago)])

    assert spending.purge() == 1
    assert spending.spent(caller.principal.key_id) == 1


@pytest.mark.parametrize("count", [12])
def test_p12_what_ends_at_once_is_all_counted(caller, foreign_caller, count):
    """Also in opposite orders: nobody waits for one who waits for him."""
    pairs = [[run_of(caller, 1), run_of(foreign_caller, 1)] for _ in range(count)]

    def add(number: int) -> None:
        try:
            spending.add(pairs[number][:: 1 if number % 2 else -1])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(add, range(count)))

    assert (
        spending.spent(caller.principal.key_id)
        == spending.spent(foreign_caller.principal.key_id)
        == count
    )
