"""`conversations.feed.runs`: what becomes of runs, as the feed tells it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.caller import Caller
from conversations.execution.observers import ProgressTicker
from conversations.feed import access
from conversations.feed.runs import Counted, RunFeed
from conversations.models import Conversation
from core.database import database_step
from engine import events as ev
from engine.errors import ClawError
from engine.transcript import Transcript, fold
from tests.conversations.feed.events import life
from tests.conversations.feed.told import Told
from tests.conversations.parts import ENDLESS, QUICK, Parts

LIFE = [
    *("run:started", "run:status_changed", "run:llm_call", "run:status_changed"),
    "run:completed",
]


@pytest.fixture
async def parts(tmp_path: Path, told: Told) -> AsyncIterator[Parts]:
    async with Parts(tmp_path / "runs", RunFeed(told.feed)) as parts:
        yield parts


def types(messages: list[dict[str, Any]]) -> list[str]:
    return [message["type"] for message in messages]


async def test_it_works(parts: Parts, told: Told, caller: Caller) -> None:
    run = await parts.ended(await parts.start(caller, QUICK))
    messages = await told.until(run, "run:completed")
    assert types(messages) == LIFE
    started, begun, called, over, completed = messages
    assert (started["run"]["id"], started["run"]["status"]) == (run.pk, "queued")
    assert (begun["from"], begun["to"]) == ("queued", "running")
    assert (over["from"], over["to"]) == ("running", "completed")
    assert (called["provider"], called["model"], called["stopReason"]) == (
        "demo",
        "demo",
        "end_turn",
    )
    assert called["outputTokens"] == run.usage["outputTokens"] > 0
    assert 0 <= called["ttftMs"] <= called["durationMs"]
    assert completed["result"] == {
        "status": "completed",
        "reason": "complete",
        "usage": run.usage,
        "cost": run.usage["cost"],
    }
    assert completed["run"]["tokens"] == run.usage["totalTokens"]
    assert "Hello" not in str(messages)


async def test_one_that_is_stopped_while_it_waits_has_a_whole_life(
    parts: Parts, told: Told, caller: Caller
) -> None:
    first = await parts.start(caller, ENDLESS, conversation_id="c")
    waits = await parts.accept(caller, QUICK, conversation_id="c")
    parts.observers.accepted(waits)
    await parts.dispatcher.cancel(waits)
    messages = await told.until(waits, "run:completed")
    assert types(messages) == [LIFE[0], *LIFE[3:]]
    assert messages[0]["run"]["startedAt"] is messages[-1]["run"]["startedAt"] is None
    assert (messages[1]["from"], messages[1]["to"]) == ("queued", "cancelled")
    await parts.dispatcher.cancel(first)


async def test_a_failure_is_told_with_its_reason(parts: Parts, told: Told, caller: Caller) -> None:
    run = await parts.start(caller, ENDLESS)
    await parts.reach(run, "token")
    await parts.dispatcher.cancel(run, ClawError("key_revoked", "This key has been revoked."))
    messages = await told.until(run, "run:completed")
    assert types(messages) == [*LIFE[:4], "run:error", "run:completed"]
    assert messages[-2]["code"] == messages[-1]["run"]["error"]["code"] == "key_revoked"


async def test_progress_rises(parts: Parts, told: Told, caller: Caller) -> None:
    ticker = ProgressTicker(parts.observers, parts.dispatcher.handles)
    run = await parts.start(caller, ENDLESS)
    for _ in range(3):
        await asyncio.sleep(0.15)
        ticker.tick()
    await asyncio.sleep(0.15)
    noted = await told.feed.store.noted(run.organization_id)
    assert msgspec.json.decode(noted[run.pk])["tokens"] > 0
    await parts.dispatcher.cancel(run)
    await told.until(run, "run:completed")
    assert await told.feed.store.noted(run.organization_id) == {}


async def test_one_whose_announcement_is_forgotten_is_announced_again(
    parts: Parts, told: Told, caller: Caller, bounds: Callable[..., None]
) -> None:
    bounds(events=10)
    run = await parts.accept(caller, QUICK)
    parts.observers.accepted(run)
    await told.until(run, "run:started")
    for one in life("run_other", 30):
        told.feed.record(run.organization_id, one)
    run.created_at -= timedelta(hours=1)
    await told.forget()
    parts.dispatcher.submit(run)
    assert types(await told.until(run, "run:completed")) == LIFE


async def test_a_tool_is_told_without_what_it_said(
    told: Told, parts: Parts, caller: Caller
) -> None:
    run = await parts.accept(caller, QUICK)
    call = ev.ToolCall(id="t1", tool="add", args={"a": 1}, name="add", arguments={"a": 1})
    returned = ev.ToolResult(id="t1", tool="add", result="3", is_error=False, duration_ms=7)
    parts.observers.tool(run, call)
    parts.observers.tool(run, returned)
    parts.dispatcher.submit(run)
    messages = await told.until(run, "run:completed")
    assert types(messages)[:3] == ["run:started", "run:tool_started", "run:tool_completed"]
    assert (messages[2]["id"], messages[2]["durationMs"]) == ("t1", 7)
    assert "args" not in str(messages)


async def test_what_was_said_is_read_from_the_history(
    parts: Parts, told: Told, caller: Caller
) -> None:
    run = await parts.ended(await parts.start(caller, QUICK))
    excerpts = await database_step(access.excerpts, caller.principal, [run.pk])
    assert excerpts == {run.pk: run.message.content} and run.message.content
    await database_step(Conversation.objects.filter(pk=run.conversation_id).delete)
    assert await database_step(access.excerpts, caller.principal, [run.pk]) == {}


def test_tokens_are_counted_once_though_a_provider_reports_them() -> None:
    transcript, counted = Transcript(), Counted()
    fold(transcript, ev.Token(content="a", index=0, count=10))
    assert counted.count(transcript) == 10
    report = ev.UsageReported(
        input_tokens=5,
        output_tokens=10,
        cache_read_tokens=0,
        cache_write_tokens=0,
        reasoning_tokens=0,
        cost=None,
        source="provider",
    )
    fold(transcript, report)
    assert counted.count(transcript) == 15
    fold(transcript, ev.Token(content="b", index=10, count=2))
    assert counted.count(transcript) == 17
