"""`conversations.access.measures`: numbers about runs in a window."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organization
from agents.caller import Caller
from conversations.access.measures import MEASURES, Window, percentile
from conversations.models import Run, RunStatus
from core.database import database_step
from tests.conversations.parts import ask

NOW = timezone.now()


def run(caller: Caller, *, ended: float | None = 1, owner: str = "keys", **fields: Any) -> Run:
    """A run that ended so many minutes ago, and took 2 seconds. Synchronous."""
    row: Run = ask(caller).run
    usage = {"inputTokens": 30, "outputTokens": 10, "ttftMs": 100}
    finished: datetime | None = None if ended is None else NOW - timedelta(minutes=ended)
    begun = finished and finished - timedelta(seconds=2)
    changes: dict[str, Any] = {"status": RunStatus.COMPLETED, "usage": usage, "cost": 0.5}
    changes |= {"started_at": begun, "created_at": begun or NOW, "finished_at": finished}
    Run.objects.filter(pk=row.pk).update(**changes | {"owner": owner} | fields)
    return row


def measured(organization: Organization, *agents: str) -> dict[str, float | None]:
    window = Window(organization.pk, agents, NOW - timedelta(minutes=5), NOW)
    return {name: measure(window) for name, measure in MEASURES.items()}


async def test_it_works(caller: Caller, foreign_caller: Caller, acme: Organization) -> None:
    def runs() -> None:
        for number in range(20):
            run(caller, usage={"inputTokens": 30, "outputTokens": 10, "ttftMs": number})
        error = {"code": "upstream_error", "message": "", "retryable": True}
        run(caller, status=RunStatus.FAILED, error=error, usage=None, cost=None)
        run(caller, status=RunStatus.FAILED, error=error | {"code": "tool_error"}, usage=None)
        run(caller, status=RunStatus.INTERRUPTED, usage=None, cost=None)
        run(caller, status=RunStatus.CANCELLED, owner="user:ada", cost=2)
        run(caller, ended=9, status=RunStatus.FAILED)
        run(foreign_caller, status=RunStatus.FAILED)

    await database_step(runs)
    found = await database_step(measured, acme)
    assert found == {
        "error_rate": 3 / 24,
        "provider_errors": 1,
        "latency_p95": pytest.approx(2000),
        "ttft_p95": 19,
        "runs": 24,
        "tokens": 21 * 40,
        "cost": 20 * 0.5 + 0.5 + 2,
        "visitor_cost": 2,
        "queue_age": 0,
    }
    agent = caller.require_agent().id
    assert await database_step(measured, acme, agent) == found
    assert (await database_step(measured, acme, "agt_other"))["runs"] == 0


async def test_without_runs(acme: Organization) -> None:
    found = await database_step(measured, acme)
    assert {name for name, value in found.items() if value is None} == {
        "error_rate",
        "latency_p95",
        "ttft_p95",
    }
    assert not any(found.values())


async def test_a_run_that_waits_for_another_of_its_conversation_is_not_held_up(
    caller: Caller, acme: Organization
) -> None:
    def runs() -> None:
        first, second = run(caller, ended=None), run(caller, ended=None)
        hour = NOW - timedelta(hours=1)
        fields = {"conversation": first.conversation, "created_at": hour}
        Run.objects.filter(pk=first.pk).update(status=RunStatus.RUNNING)
        Run.objects.filter(pk=second.pk).update(status=RunStatus.QUEUED, **fields)

    await database_step(runs)
    assert (await database_step(measured, acme))["queue_age"] == 0
    await database_step(Run.objects.exclude(status=RunStatus.QUEUED).delete)
    assert (await database_step(measured, acme))["queue_age"] == pytest.approx(3_600_000)


def test_percentiles() -> None:
    assert percentile([]) is None
    assert percentile([7]) == 7
    assert percentile(range(100)) == 95
