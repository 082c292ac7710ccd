"""`conversations.usage.reading`: what runs have used is counted in the transaction of their end."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from conversations.models import Run
from conversations.usage.reading import Reading
from core.database import database_step
from engine.errors import ClawError
from metering.report import Days
from tests.agents.callers import having
from tests.conversations.parts import ask

TODAY = datetime.now(UTC).date()
DAYS = Days(TODAY - timedelta(days=1), TODAY + timedelta(days=1), ZoneInfo("UTC"))


def read(caller, *groups) -> Reading:
    reader = having(caller, scopes=frozenset({"usage:read"}))
    reading = Reading(reader.principal, DAYS, groups or ("agent",))
    while reading.step():
        pass
    return reading


async def test_it_works(parts, caller, foreign_caller):
    run = await parts.start(caller)
    run = await parts.ended(run)
    await parts.ended(await parts.start(foreign_caller))
    await database_step(ask, caller)  # it has not begun

    reading = await database_step(read, caller)
    total = reading.report.total
    assert total.statuses == {"completed": 1, "queued": 1}
    assert total.total_tokens == run.usage["totalTokens"]
    assert reading.names[caller.agent.id] == caller.agent.name


async def test_p13_the_sum_of_the_hours_is_the_ledger_of_the_runs(parts, caller):
    """Completed and stopped ones."""
    runs = [await parts.start(caller, "Tell me a long story") for _ in range(6)]
    for run in runs[::2]:
        await parts.reach(run, "token")
        await parts.dispatcher.cancel(run)
    rows = [await parts.ended(run) for run in runs]

    total = (await database_step(read, caller)).report.total
    assert total.statuses["cancelled"] >= 1
    assert total.runs == 6
    assert total.input_tokens == sum(row.usage["inputTokens"] for row in rows)
    assert total.output_tokens == sum(row.usage["outputTokens"] for row in rows)
    assert sum(total.times["timeToCancelMs"].values()) == total.statuses["cancelled"]


async def test_deleting_refunds_nothing(parts, caller):
    run = await parts.ended(await parts.start(caller))
    await database_step(run.conversation.delete)
    assert not await database_step(Run.objects.exists)
    total = (await database_step(read, caller)).report.total
    assert (total.runs, total.total_tokens) == (1, run.usage["totalTokens"])


def test_it_needs_its_scope(caller):
    with pytest.raises(ClawError, match="usage:read"):
        Reading(having(caller, scopes=frozenset({"chat"})).principal, DAYS, ["day"])
