"""`conversations.usage.totals`: what runs have used, added up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from conversations import access
from conversations.models import Run, RunStatus
from conversations.usage import totals
from tests.agents.callers import having
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

    reader = having(caller, scopes=frozenset({"usage:read"}))
    return access.runs_of_organization(reader.principal)


def step(runs, group="day", days=9):
    """The first step of a report over so many days."""
    now = timezone.now()
    return totals.step(runs, group, now - timedelta(days=days), now + timedelta(days=1))


def tally(runs, group="day"):
    """All steps of a report."""
    begin, end = timezone.now() - timedelta(days=9), timezone.now() + timedelta(days=1)
    found, steps = totals.Tally(group), 0
    while begin is not None:
        rows, begin = totals.step(runs, group, begin, end)
        found.add(rows)
        steps += 1
    return found, steps


def test_it_works(runs):
    total = tally(runs)[0].total()
    assert (total.runs, total.statuses) == (4, {"queued": 1, "completed": 2, "failed": 1})
    assert (total.input_tokens, total.output_tokens, total.total_tokens) == (15, 3, 18)


def test_an_unknown_price_is_counted_and_not_made_up(runs):
    total = tally(runs)[0].total()
    assert (total.cost, total.unpriced_runs) == (0.75, 1)


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_groups_add_up_to_the_total(runs, caller, monkeypatch, size):
    """Also where a group is found in several steps."""
    monkeypatch.setattr(totals, "STEP", size)
    for group in totals.GROUPS:
        found = tally(runs, group)[0].groups()
        assert sum(each.total_tokens for each in found) == 18, group
    assert [each.runs for each in tally(runs, "day")[0].groups()] == [1, 3]
    (mine,) = tally(runs, "key")[0].groups()
    assert (mine.key_id, mine.key_name, mine.runs) == (caller.principal.key_id, "test", 4)
    assert [each.agent_id for each in tally(runs, "agent")[0].groups()] == [caller.agent.id]


def test_a_step_is_of_so_many_runs(runs, monkeypatch):
    monkeypatch.setattr(totals, "STEP", 2)
    rows, after = step(runs)
    assert sum(row["runs"] for row in rows) == 2
    assert after is not None
    assert tally(runs)[1] == 2


def test_many_runs_of_one_moment_are_one_step(runs, monkeypatch):
    monkeypatch.setattr(totals, "STEP", 1)
    runs.update(created_at=timezone.now() - timedelta(hours=1))
    found, steps = tally(runs)
    assert (found.total().runs, steps) == (4, 2)


def test_nothing_is_nothing(runs):
    found, steps = tally(runs.filter(pk="none"))
    assert (found.groups(), found.total().cost, steps) == ([], 0.0, 1)


def test_only_the_first_groups_are_kept(monkeypatch):
    monkeypatch.setattr(totals, "MAX_GROUPS", 2)
    sums = dict.fromkeys(totals._SUMS, 1)
    found = totals.Tally("model")
    for model in ("c", "e", "a", "d", "b", "a"):
        found.add([{"by_provider": "demo", "by_model": model, **sums}])
    assert [(each.model, each.runs) for each in found.groups()] == [("a", 2), ("b", 1)]
    assert found.total().runs == 6


def test_a_step_is_two_queries(runs, django_assert_num_queries):
    for group in totals.GROUPS:
        with django_assert_num_queries(2):
            step(runs, group)


def test_a_report_is_of_its_days(runs):
    rows, after = step(runs, days=0.5)
    assert (sum(row["runs"] for row in rows), after) == (3, None)
    now = timezone.now()
    rows, _ = totals.step(runs, "day", now - timedelta(days=9), now - timedelta(days=0.5))
    assert sum(row["runs"] for row in rows) == 1


def test_a_step_reads_no_more_of_the_index_than_its_own(runs, django_assert_num_queries):
    """Of two limits SQLite may take the wider one, and read all that the steps before have read."""
    with django_assert_num_queries(2) as asked:
        step(runs)
    for query in asked.captured_queries:
        assert query["sql"].count('"created_at" >=') + query["sql"].count('"created_at" <') == 2
