"""`conversations.usage.measuring`: the value of a rule's metric."""

from decimal import Decimal

from django.utils import timezone

from agents.auth import keys
from agents.models import Agent
from alerts.access import rules
from alerts.models import AlertRule
from conversations.usage import keeping, spending
from conversations.usage.measuring import measure
from conversations.usage.spending import Spent
from core.database import database_step
from metering.budgets import period_of
from metering.models import Budget
from tests.agents.callers import caller_of


def rule_of(agent: Agent, metric: str, *agents: str) -> AlertRule:
    fields = {"name": "Mine", "metric": metric, "threshold": 0.8, "agents": list(agents)}
    return rules.create(agent.organization_id, fields)


async def test_it_works(agent: Agent) -> None:
    rule = await database_step(rule_of, agent, "runs")
    assert await database_step(measure, rule, timezone.now()) == 0


async def test_the_fullest_budget(agent: Agent) -> None:
    def spend() -> None:
        key, _ = keys.create_key(agent.organization, name="admin", scopes=["admin"])
        admin = caller_of(key)
        for scope, target, used in (("organization", "", 30), ("agent", agent.pk, 60)):
            fields = {"scope": scope, "target_id": target, "tokens": 100}
            budget: Budget = keeping.create(admin, fields)
            place = budget.pk, period_of(budget, timezone.now())
            spending.book({place: Spent(Decimal(0), used)})

    every, mine = [
        await database_step(rule_of, agent, "budget", *agents) for agents in ((), (agent.pk,))
    ]
    assert await database_step(measure, every, timezone.now()) == 0
    await database_step(spend)
    assert await database_step(measure, every, timezone.now()) == 0.6
    assert await database_step(measure, mine, timezone.now()) == 0.6
