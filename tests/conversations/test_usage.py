"""`conversations.usage`: what runs have used, added up."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from conversations import access, usage
from conversations.models import Run, RunStatus
from tests.conversations.parts import ask


def finish(run, *, tokens=3, cost=0.5, status=RunStatus.COMPLETED, days_ago=0):
    Run.objects.filter(pk=run.pk).update(
        status=status,
        usage={"inputTokens": tokens, "outputTokens": 1, "totalTokens": tokens + 1},
        cost=cost,
        created_at=timezone.now() - timedelta(days=days_ago),
    )


@pytest.fixture
def runs(caller, foreign_caller):
    """Three of acme's, over two days; one of globex'."""
    finish(ask(caller).run)
    finish(ask(caller).run, tokens=5, cost=None, status=RunStatus.FAILED)
    finish(ask(caller).run, tokens=7, cost=0.25, days_ago=1)
    ask(caller)  # it has not begun
    finish(ask(foreign_caller).run, tokens=1000)

    reader, now = replace(caller, scopes=frozenset({"usage:read"})), timezone.now()
    return access.runs_of_organization(reader, now - timedelta(days=9), now + timedelta(days=1))


def test_it_works(runs):
    total = usage.total(runs)
    assert (total.runs, total.statuses) == (4, {"queued": 1, "completed": 2, "failed": 1})
    assert (total.input_tokens, total.output_tokens, total.total_tokens) == (15, 3, 18)


def test_an_unknown_price_is_counted_and_not_made_up(runs):
    assert usage.total(runs).cost == 0.75
    assert usage.total(runs).unpriced_runs == 1


def test_groups_add_up_to_the_total(runs, caller):
    for group in usage.GROUPS:
        found = usage.by(runs, group)
        assert sum(each.total_tokens for each in found) == 18, group
    assert [each.runs for each in usage.by(runs, "day")] == [1, 3]
    (mine,) = usage.by(runs, "key")
    assert (mine.key_id, mine.key_name) == (caller.key_id, "test")
    assert [each.agent_id for each in usage.by(runs, "agent")] == [caller.agent.id]


def test_nothing_is_nothing(runs):
    assert usage.by(runs.none(), "day") == []
    assert usage.total(runs.none()).cost == 0.0


def test_each_is_one_query(runs, django_assert_num_queries):
    for group in usage.GROUPS:
        with django_assert_num_queries(1):
            usage.by(runs, group)
    with django_assert_num_queries(1):
        usage.total(runs)
