"""Faults that other systems had with runs that wait, tried here."""

import asyncio
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from agents.caller import Caller
from conversations.models import Run
from core.database import database_step
from tests.conversations.execution.asking import (
    Desk,
    OneProvider,
    ask,
    asking,
    saying,
    scripted,
    waiting,
    waits,
    woken,
)
from tests.conversations.parts import Parts, reload
from tests.engine.scripted import HELLO, Scripted, calls


async def test_a_wait_that_ends_while_no_process_runs_goes_on_at_the_next_start(
    tmp_path: Path, transactional_db: None, caller: Caller, desk: Desk
) -> None:
    """https://github.com/elsa-workflows/elsa-core/issues/2443"""
    before = asking(Parts(tmp_path / "runs"), desk)
    run = await before.start(caller)
    await waits(before, run)
    await before.log.aclose()
    desk.expires_at = past = timezone.now() - timedelta(hours=1)
    await database_step(Run.objects.filter(pk=run.pk).update, waits_until=past)

    async with Parts(tmp_path / "runs") as after:
        asking(after, desk, saying())
        await after.recovery.sweep()
        assert (await after.ended(run)).status == "completed"


async def test_many_wakes_at_once_carry_out_a_call_once(
    parts: Parts, caller: Caller, desk: Desk
) -> None:
    """https://github.com/mastra-ai/mastra/issues/20443"""
    run = await waiting(parts, caller, desk)
    desk.decisions["toolu_1"] = "yes"
    await asyncio.gather(*(woken(parts, run) for _ in range(20)))
    parts.dispatcher.submit(run)  # as somebody found it before
    row = await parts.ended(run)
    assert (row.status, row.attempt, desk.done) == ("completed", 2, ["toolu_1"])


async def test_a_wake_of_a_run_that_works_again_starts_nothing(
    parts: Parts, caller: Caller, desk: Desk
) -> None:
    """A page that shows an old status invites a second decision: the same report."""
    run = await waiting(parts, caller, desk)
    desk.decisions["toolu_1"] = "yes"
    desk.proceed.clear()
    await woken(parts, run)
    await desk.begun.wait()
    assert await woken(parts, run) is None
    desk.proceed.set()
    row = await parts.ended(run)
    await parts.settled()
    assert (row.attempt, desk.done) == (2, ["toolu_1"])
    assert (await database_step(reload, run)).attempt == 2


async def test_a_run_waits_a_second_time_after_another_model_call(
    parts: Parts, caller: Caller, desk: Desk
) -> None:
    """https://github.com/langchain-ai/langgraphjs/issues/1298"""
    script = Scripted(calls(ask("a")), calls(ask("b")), HELLO)
    run = await waiting(parts, caller, desk, OneProvider(script))
    seen = (await parts.transcript(run)).last_seq
    desk.decisions["a"] = "first"
    await woken(parts, run)
    await parts.events(run, lambda event: event.seq > seen and event.type == "run_waiting")
    await parts.settled()
    assert [call.id for call in (await parts.transcript(run)).pending] == ["b"]
    desk.decisions["b"] = "second"
    await woken(parts, run)
    assert (await parts.ended(run)).status == "completed"
    assert [tool.result for tool in (await parts.transcript(run)).tools] == ["first", "second"]
    assert (desk.done, len(script.requests)) == (["a", "b"], 3)


async def test_each_decision_lands_on_its_own_call(
    parts: Parts, caller: Caller, desk: Desk
) -> None:
    """https://github.com/langchain-ai/langgraph/issues/6626"""
    run = await waiting(parts, caller, desk, scripted(ask("a"), ask("b"), ask("c")))
    for id in ("c", "a"):  # not the order of the calls, and one is missing
        seen = (await parts.transcript(run)).last_seq
        desk.decisions[id] = f"for {id}"
        await woken(parts, run)
        await parts.events(
            run, lambda event, seen=seen: event.seq > seen and event.type == "run_waiting"
        )
        await parts.settled()
    assert [call.id for call in (await parts.transcript(run)).pending] == ["b"]
    desk.decisions["b"] = "for b"
    await woken(parts, run)
    await parts.ended(run)
    tools = (await parts.transcript(run)).tools
    assert {tool.id: tool.result for tool in tools} == {id: f"for {id}" for id in "abc"}
    assert desk.done == ["c", "a", "b"]
