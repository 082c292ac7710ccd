"""`conversations.usage.budgets`: what is promised and spent is never more than the budget."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connections, transaction

from conversations.execution.acceptance import accept
from conversations.models import Run, Spending
from conversations.usage import budgets
from conversations.usage.budgets import Need, Spent
from core.database import database_step
from engine.errors import ClawError
from metering.models import Budget
from tests.agents.callers import allowed, visitor_of
from tests.conversations.parts import ask, asked, reload

PROMPT, ANSWER = 50, 100
"""Tokens that a message needs in these tests."""


@pytest.fixture(autouse=True)
def needed(monkeypatch):
    """Every message needs as much."""
    need = Need(Spent(Decimal("0.05"), PROMPT), Spent(Decimal("0.15"), PROMPT + ANSWER))
    monkeypatch.setattr(Need, "of", lambda *_, **__: need)


def limited(caller, **fields) -> Budget:
    """A budget of the caller's organisation."""
    mine = {"organization_id": caller.principal.organization_id, "scope": "organization"}
    return Budget.objects.create(**mine | fields)


@transaction.atomic
def end(run, tokens=0, cost=None):
    usage = {"totalTokens": tokens, "inputTokens": tokens, "outputTokens": 0}
    Run.objects.filter(pk=run.pk).update(status="completed", usage=usage, cost=cost)
    budgets.settle([reload(run)])


def refused(caller) -> str:
    with pytest.raises(ClawError) as raised:
        ask(caller)
    assert raised.value.code == "budget_exceeded"
    return raised.value.message


def test_it_works(caller):
    limited(caller, tokens=400)
    first, second, third = (ask(caller).run for _ in range(3))
    assert [run.reserved["tokens"] for run in (first, second, third)] == [150, 150, 100]
    assert "organisation" in refused(caller)

    end(first, tokens=60)
    assert ask(caller).run.reserved == {"tokens": 90}


def test_without_a_budget_nothing_is_reserved(caller, foreign_caller):
    limited(foreign_caller, tokens=0)
    assert ask(caller).run.reserved is None


def test_a_soft_budget_counts_and_refuses_nobody(caller):
    soft = limited(caller, tokens=1, hard=False)
    run = ask(caller).run
    assert run.reserved == {}
    end(run, tokens=77)
    assert Spending.objects.get(account=soft.pk).tokens == 77


def test_dollars_are_reserved_and_settled(caller):
    limited(caller, amount=Decimal("0.32"))
    first, second = ask(caller).run, ask(caller).run
    assert [run.reserved["cost"] for run in (first, second)] == [0.15, 0.15]
    refused(caller)
    end(first, cost=Decimal("0.20"))
    end(second, cost=Decimal("0.05"))
    assert ask(caller).run.reserved["cost"] == pytest.approx(0.07)


def test_the_strictest_of_several_counts(caller):
    limited(caller, tokens=1000)
    limited(caller, scope="agent", target_id=caller.agent.id, tokens=120)
    limited(caller, scope="agent", target_id="agt_other", tokens=0)
    assert ask(caller).run.reserved == {"tokens": 120}
    assert "agent" in refused(caller)


def test_each_visitor_has_a_budget_of_their_own(caller):
    limited(caller, scope="visitor", tokens=100)
    ada, bob = (visitor_of(caller, f"visitor:{name}") for name in ("ada", "bob"))
    end(ask(ada).run, tokens=80)
    assert "You" in refused(ada)
    assert ask(bob).run.reserved == {"tokens": 100}
    assert ask(caller).run.reserved is None


def test_a_key_and_its_monthly_budget(caller, key):
    limited(caller, scope="key", target_id=key[0].lineage, tokens=300)
    both = allowed(caller, monthly_budget=Decimal("0.10"))
    assert ask(both).run.reserved == {"tokens": 150, "cost": 0.1}
    assert "for the month" in refused(both)
    assert ask(caller).run.reserved == {"tokens": 150}
    assert "key" in refused(caller)


def test_a_run_that_was_accepted_before_the_budget_is_not_counted(caller):
    run = ask(caller).run
    mine = limited(caller, tokens=1000)
    end(run, tokens=5)
    assert not Spending.objects.filter(account=mine.pk).exists()


def test_more_is_given_as_far_as_there_is_more(caller):
    limited(caller, tokens=300)
    run = ask(caller).run
    need = Need(Spent(tokens=200), Spent(tokens=500))
    assert budgets.extend(run.pk, need) == {"tokens": 300}
    assert reload(run).reserved == {"tokens": 300}
    with pytest.raises(ClawError, match="budget"):
        budgets.extend(run.pk, Need(Spent(tokens=301), Spent(tokens=301)))


def test_a_refusal_leaves_the_others_of_its_group(caller):
    limited(caller, tokens=200)
    answers = accept([asked(caller) for _ in range(3)])
    assert [isinstance(each, ClawError) for each in answers] == [False, False, True]


def test_p12_of_fifty_at_once_no_more_than_the_budget_allows_are_served(caller):
    """A budget for ten, on SQLite and PostgreSQL: each thread is a process to the database."""
    mine = limited(caller, tokens=10 * (PROMPT + ANSWER))

    def serve(_: int) -> bool:
        try:
            end(ask(caller).run, tokens=PROMPT + ANSWER)
        except ClawError as error:
            assert error.code == "budget_exceeded"
            return False
        else:
            return True
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        served = sum(pool.map(serve, range(50)))
    assert served == 10
    assert Spending.objects.get(account=mine.pk).tokens == 10 * (PROMPT + ANSWER)


async def test_p12_an_answer_is_cut_where_the_budget_ends(parts, caller):
    """Its text is kept, and what it has used is charged."""
    mine = await database_step(limited, caller, tokens=PROMPT + 60)
    run = await parts.start(caller, "Tell me a long story")
    done = (await parts.events(run))[-1]
    row = await parts.ended(run)
    assert done.reason == "budget_exceeded"
    assert (row.status, row.error["code"]) == ("failed", "budget_exceeded")
    message = (await database_step(reload, run)).message
    assert message.content
    spent = await database_step(Spending.objects.get, account=mine.pk)
    assert spent.tokens == row.usage["totalTokens"]
