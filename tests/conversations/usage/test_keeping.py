"""`conversations.usage.keeping`: budgets are set by those who may, and count what came before."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from agents.auth import keys
from conversations.models import Spending
from conversations.usage import keeping
from engine.errors import ClawError
from metering.models import Budget
from metering.recording import record
from tests.agents.callers import caller_of, having
from tests.conversations.parts import ask
from tests.metering.ended import ended

TOKENS = {"scope": "organization", "tokens": 1000}


@pytest.fixture
def admin(acme):
    """A key of every agent with the scope `admin`."""
    key, _ = keys.create_key(acme, name="admin", scopes=["admin"])
    return caller_of(key)


def balance(budget):
    return keeping.balances(budget.organization_id, [budget])[0]


def test_it_works(admin, caller):
    budget = keeping.create(admin, TOKENS)
    assert balance(budget) == (0, 0, 1000)
    reserved = ask(caller).run.reserved["tokens"]
    assert balance(budget).reserved == reserved
    assert balance(budget).remaining == max(0, 1000 - reserved)

    changed = keeping.change(admin, budget.pk, {"tokens": 2000, "hard": False})
    assert (changed.tokens, changed.hard) == (2000, False)
    keeping.delete(admin, budget.pk)
    assert not Budget.objects.exists() and not Spending.objects.exists()


@pytest.mark.parametrize("scope", ["organization", "agent", "key"])
def test_what_was_spent_in_the_period_before_counts(admin, agent, key, scope):
    mine = {"agent_id": agent.id, "key_id": key[0].id}
    used = ended(agent.organization_id, created_at=timezone.now(), **mine)
    long_ago = ended(agent.organization_id, created_at=timezone.now() - timedelta(days=40), **mine)
    record([used, long_ago])
    record([ended(agent.organization_id, created_at=timezone.now(), agent_id="agt_2")])
    target = {"organization": "", "agent": agent.id, "key": key[0].id}[scope]
    fields = {"scope": scope, "target_id": target, "amount": Decimal(9), "period": "month"}
    budget = keeping.create(admin, fields)
    assert balance(budget).spent == Decimal("0.50" if scope == "organization" else "0.25")


def test_a_total_counts_from_its_beginning(admin, agent):
    record([ended(agent.organization_id, created_at=timezone.now())])
    assert balance(keeping.create(admin, TOKENS | {"period": "total"})).spent == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"scope": "organization"},
        TOKENS | {"amount": Decimal(1)},
        TOKENS | {"tokens": -1},
        TOKENS | {"scope": "planet"},
        TOKENS | {"period": "year"},
        TOKENS | {"soft_percent": 0},
    ],
)
def test_what_cannot_be_is_refused(admin, fields):
    with pytest.raises(ValidationError):
        keeping.create(admin, fields)


def test_p24_targets_of_others_do_not_exist(admin, foreign_agent, foreign_key):
    for scope, target in (
        ("agent", foreign_agent.id),
        ("key", foreign_key[0].id),
        ("agent", "agt_nobody"),
        ("visitor", "somebody"),
        ("organization", "org_other"),
    ):
        with pytest.raises(ClawError) as raised:
            keeping.create(admin, {"scope": scope, "target_id": target, "tokens": 5})
        assert raised.value.details == {"field": "targetId"}


def test_there_is_an_end_to_budgets(admin, monkeypatch):
    monkeypatch.setattr(keeping, "MAX_BUDGETS", 1)
    keeping.create(admin, TOKENS)
    with pytest.raises(ClawError):
        keeping.create(admin, TOKENS)


def test_it_needs_its_scope_and_every_agent(admin, caller):
    for who in (having(admin, scopes=frozenset({"usage:read"})), caller):
        with pytest.raises(ClawError) as raised:
            keeping.create(who, TOKENS)
        assert raised.value.code == "forbidden"


def test_another_organisation_s_budget_is_unknown(admin, globex):
    other = Budget.objects.create(organization=globex, **TOKENS)
    for act in (
        lambda: keeping.change(admin, other.pk, {"tokens": 1}),
        lambda: keeping.delete(admin, other.pk),
    ):
        with pytest.raises(ClawError) as raised:
            act()
        assert raised.value.code == "not_found"
