"""Messages that join a run which is at work (`ifBusy: "steer"`)."""

import asyncio
from dataclasses import replace

import msgspec
import pytest

from conversations.execution.recording.completion import complete_logs
from conversations.execution.recording.joining import join, waiting_to_join
from conversations.execution.setup.prompt import read_messages
from conversations.models import Message, Run, RunStatus
from core.database import database_step
from engine.request import fit
from engine.tools.builtin.base import Builtin
from engine.tools.registry import BUILTINS
from tests.conversations.parts import reload

CALL = "/tool gate\n/delay 0"


class Gate:
    """A tool that ends when it is told to."""

    def __init__(self) -> None:
        self.begun, self.open = asyncio.Event(), asyncio.Event()

    async def run(self, arguments: msgspec.Struct, context: object) -> str:
        self.begun.set()
        await self.open.wait()
        return "through"


class NoArguments(msgspec.Struct):
    """A tool without arguments."""


@pytest.fixture
def gate(monkeypatch, caller):
    gate = Gate()
    tool = Builtin("A gate.", NoArguments, gate.run, repeatable=True)
    monkeypatch.setitem(BUILTINS, "gate", tool)
    return gate


@pytest.fixture
def guarded(caller):
    """The caller, whose agent has the tool."""
    return replace(caller, agent=replace(caller.agent, tools=[{"builtin": "gate"}]))


async def steered(parts, caller, gate, text: str = "Be quick\n/delay 0") -> tuple[Run, Run]:
    """A run whose tool is at work, and the run of a message that wants to join it."""
    run = await parts.start(caller, CALL)
    await gate.begun.wait()
    other = await parts.start(caller, text, conversation_id=run.conversation_id, if_busy="steer")
    return run, other


def of(events, type_):
    return [event for event in events if event.type == type_]


async def test_it_works(parts, guarded, gate):
    run, other = await steered(parts, guarded, gate)
    gate.open.set()
    row = await parts.ended(run)
    (event,) = of(await parts.events(run), "steered")
    assert event.content == "Be quick\n/delay 0"
    assert event.user_message_id == other.user_message.public_id
    assert row.message.content.endswith("You said meanwhile: Be quick\n/delay 0")

    events = await parts.events(other)
    assert [event.type for event in events] == ["run_started", "cancelled", "done"]
    assert events[1].joined_run_id == run.pk
    joined = await database_step(reload, other)
    assert (joined.status, joined.user_message.joined_id) == ("cancelled", run.message_id)
    assert joined.message.replaced and not joined.user_message.replaced
    await parts.settled()
    assert await database_step(Run.objects.count) == 2


async def test_without_a_step_it_has_its_turn(parts, caller):
    run = await parts.start(caller, "/delay 5\n/long 40")
    other = await parts.start(
        caller, "/delay 0\n/echo Mine", conversation_id=run.conversation_id, if_busy="steer"
    )
    row = await parts.ended(other)
    assert (row.status, row.message.content) == ("completed", "Mine")
    assert not of(await parts.events(run), "steered")


async def test_several_join_in_their_order(parts, guarded, gate):
    run, first = await steered(parts, guarded, gate, "one\n/delay 0")
    second = await parts.start(
        guarded, "two\n/delay 0", conversation_id=run.conversation_id, if_busy="steer"
    )
    gate.open.set()
    events = of(await parts.events(run), "steered")
    assert [event.content[:3] for event in events] == ["one", "two"]
    for other in (first, second):
        assert (await parts.ended(other)).status == "cancelled"


async def test_one_that_was_cancelled_does_not_join(parts, guarded, gate):
    run, other = await steered(parts, guarded, gate)
    await parts.dispatcher.cancel(other)
    gate.open.set()
    assert not of(await parts.events(run), "steered")
    (cancelled,) = of(await parts.events(other), "cancelled")
    assert cancelled.joined_run_id is None


async def test_one_that_has_joined_before_a_crash_is_told_after_it(parts, guarded, gate):
    """The database had it, the log had not."""
    run, other = await steered(parts, guarded, gate)

    def crash() -> None:
        join([(other, run.pk)])
        Run.objects.filter(pk=other.pk).update(status="cancelled", finished_at=run.created_at)

    await database_step(crash)
    gate.open.set()
    (event,) = of(await parts.events(run), "steered")
    assert event.user_message_id == other.user_message.public_id
    assert (await parts.ended(run)).status == "completed"
    await complete_logs(parts.log, [other.pk])
    (end,) = of(await parts.events(other), "cancelled")
    assert end.joined_run_id == run.pk


async def test_a_run_that_has_ended_is_not_joined(parts, guarded, gate):
    """It was stopped in its tool: the message has its turn."""
    run, other = await steered(parts, guarded, gate, "/delay 0\n/echo Mine")
    await parts.dispatcher.cancel(run)
    assert (await parts.ended(other)).message.content == "Mine"
    assert await database_step(waiting_to_join, run) == []


async def test_later_prompts_have_it_once(parts, guarded, gate):
    run, _ = await steered(parts, guarded, gate)
    gate.open.set()
    await parts.ended(run)
    await parts.settled()
    later = await parts.accept(guarded, "Then?", conversation_id=run.conversation_id)

    def prompt(budget: int) -> list[str]:
        (messages,) = read_messages([later])
        return [turn.content for turn in fit(messages, budget)]

    whole = await database_step(prompt, 100_000)
    assert whole == [CALL, "", "", "Be quick\n/delay 0", whole[-2], "Then?"]
    # A model that cannot be sent the blocks gets the messages as texts.
    await database_step(Message.objects.filter(pk=run.message_id).update, steps=[])
    assert await database_step(prompt, 100_000) == [CALL, "Be quick\n/delay 0", whole[-2], "Then?"]


async def test_a_message_that_meets_no_answer_asks_as_any_other(parts, caller):
    run = await parts.start(caller, "/delay 0\n/echo Hello", if_busy="steer")
    row = await parts.ended(run)
    assert (row.status, row.steers) == (RunStatus.COMPLETED, False)
