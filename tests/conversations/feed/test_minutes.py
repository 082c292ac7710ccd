"""`conversations.feed.minutes`: the last hour, minute by minute."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from agents.caller import Caller
from conversations.feed import minutes
from conversations.feed.minutes import MINUTE, MINUTES, last_hour
from conversations.models import Run, RunStatus
from core.database import database_step
from engine.errors import ClawError
from tests.agents.callers import having
from tests.conversations.parts import ask
from wire.feed import FeedMinute


def finish(caller: Caller, *, minutes_ago: float, ttft: int | None = 100, **fields: Any) -> None:
    """A run that was accepted then. Synchronous."""
    used = {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4, "ttftMs": ttft}
    changes = {"usage": used, "cost": 0.5, "status": RunStatus.COMPLETED} | fields
    then = timezone.now() - timedelta(minutes=minutes_ago)
    Run.objects.filter(pk=ask(caller).run.pk).update(created_at=then, **changes)


async def hour(caller: Caller, *agents: str) -> list[FeedMinute]:
    watching = having(caller, scopes=frozenset({"monitor:read"}))
    return await last_hour(watching.principal, frozenset(agents) or None)


async def test_it_works(caller: Caller, foreign_caller: Caller) -> None:
    def runs() -> None:
        finish(caller, minutes_ago=0, status=RunStatus.RUNNING, usage=None, cost=None)
        for ttft in (None, 900, *range(100, 120)):
            finish(caller, minutes_ago=5, ttft=ttft)
        finish(caller, minutes_ago=5, status=RunStatus.FAILED)
        finish(caller, minutes_ago=5, status=RunStatus.INTERRUPTED)
        finish(caller, minutes_ago=5, status=RunStatus.CANCELLED)
        finish(caller, minutes_ago=MINUTES + 1)
        finish(foreign_caller, minutes_ago=5)

    await database_step(runs)
    found = await hour(caller)
    assert len(found) == MINUTES
    assert {later.at - one.at for one, later in pairwise(found)} == {MINUTE}
    now, then = found[-1], found[-6]
    assert (now.runs, now.tokens, now.cost, now.ttft_p95_ms) == (1, 0, 0.0, None)
    assert (then.runs, then.errors, then.cancelled) == (25, 2, 1)
    assert (then.tokens, then.cost, then.ttft_p95_ms) == (100, 12.5, 119)
    assert sum(one.runs for one in found) == 26


async def test_many_steps_are_one_minute(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minutes, "STEP", 2)

    def runs() -> None:
        for number in range(7):
            finish(caller, minutes_ago=2 + number / 1000)

    await database_step(runs)
    assert sum(one.tokens for one in await hour(caller)) == 28


async def test_other_agents_are_left_out(caller: Caller, second_caller: Caller) -> None:
    await database_step(finish, caller, minutes_ago=1)
    await database_step(finish, second_caller, minutes_ago=1)
    assert sum(one.runs for one in await hour(caller, second_caller.require_agent().id)) == 1
    assert sum(one.runs for one in await hour(caller)) == 2


async def test_it_needs_its_scope(caller: Caller) -> None:
    with pytest.raises(ClawError, match="monitor:read"):
        await last_hour(having(caller, scopes=frozenset({"chat"})).principal, None)
