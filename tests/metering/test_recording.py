"""`metering.recording`: runs are counted in their hours, exactly, also by many at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connections, transaction

from metering.models import UsageHour
from metering.recording import hour_of, record, times_of
from tests.metering.ended import NOON, ended


def test_it_works(acme, globex):
    record([ended(acme.id), ended(acme.id, status="failed", cost=None), ended(globex.id)])
    record([ended(acme.id, status="cancelled", cancel_ms=30)])

    mine = UsageHour.objects.get(organization=acme)
    assert (mine.hour, mine.key_id) == (hour_of(NOON), "")
    assert (mine.completed, mine.failed, mine.cancelled, mine.interrupted) == (1, 1, 1, 0)
    assert (mine.input_tokens, mine.output_tokens) == (30, 15)
    assert (mine.cost, mine.unpriced, mine.estimated) == (50_000_000, 1, 0)
    times = times_of(mine.times)
    assert {name: sum(counts.values()) for name, counts in times.items()} == {
        "ttftMs": 3,
        "tokensPerSecond": 3,
        "timeToCancelMs": 1,
    }


def test_each_hour_agent_key_and_model_has_a_row(acme):
    record(
        [
            ended(acme.id),
            ended(acme.id, created_at=NOON + timedelta(hours=1)),
            ended(acme.id, agent_id="agt_2"),
            ended(acme.id, key_id="key_1"),
            ended(acme.id, provider="openai"),
            ended(acme.id, model="other"),
        ]
    )
    assert UsageHour.objects.count() == 6


def test_a_run_without_usage_is_counted(acme):
    record([ended(acme.id, usage=None, cost=None, status="cancelled")])
    row = UsageHour.objects.get()
    assert (row.cancelled, row.unpriced, row.input_tokens, row.times) == (1, 1, 0, "{}")


def test_small_amounts_add_up_without_a_rest(acme):
    for _ in range(10):
        record([ended(acme.id, cost=Decimal("0.00000001"))])
    assert UsageHour.objects.get().cost == 10


def test_nothing_is_nothing(acme):
    record([])
    assert not UsageHour.objects.exists()


def test_what_is_rolled_back_is_not_counted(acme):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record([ended(acme.id)])
        raise ZeroDivisionError
    assert not UsageHour.objects.exists()


def test_it_is_one_statement(acme, django_assert_num_queries):
    with django_assert_num_queries(1):
        record([ended(acme.id, key_id=f"key_{number}") for number in range(40)])


def test_p13_what_ends_at_once_is_all_counted(acme, globex):
    """Also in opposite orders: nobody waits for one who waits for him."""
    pair = [ended(acme.id), ended(globex.id)]

    def add(number: int) -> None:
        try:
            with transaction.atomic():
                record(pair if number % 2 else reversed(pair))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(40)))
    for row in UsageHour.objects.all():
        assert (row.completed, row.input_tokens) == (40, 400)
        assert sum(times_of(row.times)["ttftMs"].values()) == 40
