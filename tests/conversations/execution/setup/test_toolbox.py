"""`conversations.execution.setup.toolbox`: an agent's tools in its runs, on both model servers."""

import asyncio
import base64
import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
import pytest

from agents.caller import Caller
from agents.models import Agent
from conversations.execution.dispatch.handle import RunHandle
from conversations.execution.observers import RunObserver
from conversations.execution.setup.toolbox import toolbox
from conversations.models import Run
from conversations.rendering import render_message
from core.database import database_step
from engine.events import MemoryOp
from engine.tools.base import NoTools, ToolContext
from engine.tools.builtin.base import Builtin
from engine.tools.registry import BUILTINS
from tests.conversations.parts import Parts, take
from tests.upstream import Upstream

HIDDEN = {"usage", "step", "timeline", "tool_call_delta"}


class Nothing(msgspec.Struct):
    """No arguments."""


class Slow:
    """A tool that never ends by itself."""

    def __init__(self) -> None:
        self.begun, self.killed = asyncio.Event(), asyncio.Event()
        self.tool = Builtin("Takes for ever.", Nothing, self.run)

    async def run(self, arguments: Nothing, context: ToolContext) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.killed.set()
            raise


class Notes(RunObserver):
    """Notes what is done with memories."""

    def __init__(self) -> None:
        self.ops: list[tuple[str, str | None]] = []

    def memory(self, run: Run, event: MemoryOp) -> None:
        self.ops.append((event.op, event.key))


@pytest.fixture
async def upstream():
    async with Upstream() as upstream:
        yield upstream


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    slow = Slow()
    monkeypatch.setitem(BUILTINS, "slow", slow.tool)
    return slow


@pytest.fixture(params=["anthropic", "openai"])
def asking(request, caller: Caller, agent: Agent, upstream: Upstream, settings) -> Caller:
    """Who asks an agent with tools at the local model server."""
    settings.ANTHROPIC_BASE_URL, settings.ANTHROPIC_API_KEY = upstream.url, "sk-test"
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = f"{upstream.url}/v1", "sk-test"
    agent.organization.platform_credentials = True
    agent.organization.save()
    config = replace(
        caller.agent,
        provider=request.param,
        model="m",
        platform_credentials=True,
        tools=[{"builtin": "current_time"}],
    )
    return replace(caller, agent=config)


async def ask(parts: Parts, caller: Caller, text: str, **config: Any) -> Run:
    """A run that the model server answers as told."""
    run = await asked(parts, caller, text, **config)
    parts.dispatcher.submit(run)
    return run


async def asked(
    parts: Parts, caller: Caller, text: str, conversation_id: str | None = None, **config: Any
) -> Run:
    """The same before anybody carries it out."""
    run = await parts.accept(caller, text, conversation_id=conversation_id)
    agent = replace(caller.require_agent(), **config)
    run.provider, run.model, run.config = agent.provider, agent.model, vars(agent)
    await database_step(run.save)
    return run


async def test_it_works(parts, asking, upstream):
    arguments = "eyJ0aW1lem9uZSI6ICJBc2lhL1Rva3lvIn0="  # {"timezone": "Asia/Tokyo"}
    run = await ask(parts, asking, f"[[upstream mode=tool tokens=2 pre=1 input={arguments}]]")
    events = await parts.events(run)
    types = [event.type for event in events if event.type not in HIDDEN]
    assert types == [
        *("run_started", "typing", "token", "tool_call", "tool_result"),
        *("token", "token", "token", "typing", "message_complete", "done"),
    ]
    call = next(event for event in events if event.type == "tool_call")
    result = next(event for event in events if event.type == "tool_result")
    assert (call.tool, call.args) == ("current_time", {"timezone": "Asia/Tokyo"})
    assert (result.id, result.is_error) == (call.id, False)
    assert result.result["time"].endswith("+09:00")

    row = await parts.ended(run)
    history = render_message(row.message, run.pk)
    assert history.tools == (await parts.transcript(run)).tools
    assert history.tools[0].result == result.result
    told = row.message.content.partition("RESULT<")[2].partition(">")[0]
    assert json.loads(json.loads(told)[0]) == result.result  # the model got it whole
    assert datetime.fromisoformat(result.result["time"])


async def test_the_model_is_told_what_there_is(parts, asking, upstream):
    await parts.ended(await ask(parts, asking, "[[upstream]]"))
    await parts.ended(await ask(parts, asking, "[[upstream]]", tools=[]))
    first, second = (request["body"] for request in upstream.requests)
    (tool,) = first["tools"]
    assert tool.get("name") or tool["function"]["name"] == "current_time"
    assert "tools" not in second


async def test_calls_of_one_step_run_at_once(parts, asking, upstream):
    run = await ask(parts, asking, "[[upstream mode=tool tools=3 tokens=1 loop=2]]")
    row = await parts.ended(run)
    assert row.status == "completed"
    assert len(row.message.tools) == 6 == len({tool["id"] for tool in row.message.tools})
    assert not any(tool["isError"] for tool in row.message.tools)


@pytest.mark.parametrize("asking", ["anthropic"], indirect=True)
async def test_a_paused_turn_goes_on(parts, asking, upstream):
    row = await parts.ended(await ask(parts, asking, "[[upstream mode=pause pre=1 tokens=2]]"))
    assert (row.status, row.message.content) == ("completed", "w0 w0 w1 ")
    (*_, paused) = upstream.requests[1]["body"]["messages"]
    assert paused["role"] == "assistant"
    assert [block["type"] for block in paused["content"]] == ["text", "server_tool_use"]
    assert paused["content"][1]["input"] == {"query": "w"}


async def test_a_model_without_end_is_stopped(parts, asking, upstream):
    row = await parts.ended(await ask(parts, asking, "[[upstream mode=tool loop=99]]"))
    assert (row.status, row.error["code"]) == ("failed", "too_many_steps")
    assert len(upstream.requests) == 10


async def test_a_cancel_ends_a_slow_tool(parts, asking, slow):
    run = await ask(parts, asking, "[[upstream mode=tool]]", tools=[{"builtin": "slow"}])
    await asyncio.wait_for(slow.begun.wait(), 5)
    await parts.dispatcher.cancel(run)
    row = await parts.ended(run)
    assert slow.killed.is_set()
    assert row.status == "cancelled"
    assert [tool.get("result") for tool in row.message.tools] == [None]


async def test_after_a_cancel_the_conversation_goes_on(parts, asking, slow):
    """https://github.com/charmbracelet/crush/issues/529"""
    config = {"tools": [{"builtin": "slow"}], "conversation_id": "abc"}
    run = await ask(parts, asking, "[[upstream mode=tool tools=2]]", **config)
    await asyncio.wait_for(slow.begun.wait(), 5)
    await parts.dispatcher.cancel(run)
    await parts.ended(run)
    row = await parts.ended(await ask(parts, asking, "[[upstream]]", **config))
    assert row.status == "completed"


async def test_a_tool_without_arguments_may_be_called_with_none(parts, asking):
    """https://github.com/openai/openai-agents-js/issues/664"""
    row = await parts.ended(await ask(parts, asking, "[[upstream mode=tool input=empty]]"))
    assert row.message.tools[0]["args"] == {} and not row.message.tools[0]["isError"]


async def test_a_call_whose_arguments_are_no_object_is_not_made(parts, asking, slow):
    half = base64.b64encode(b'{"timezone": "As').decode()
    words = f"[[upstream mode=tool input={half}]]"
    row = await parts.ended(await ask(parts, asking, words, tools=[{"builtin": "slow"}]))
    (call,) = row.message.tools
    assert (row.status, call["isError"]) == ("completed", True)
    assert not slow.begun.is_set()


async def test_a_tool_that_takes_too_long_is_a_result(parts, asking, slow, settings):
    settings.CLAW_TOOL_TIMEOUT = 0.05
    run = await ask(parts, asking, "[[upstream mode=tool]]", tools=[{"builtin": "slow"}])
    row = await parts.ended(run)
    assert slow.killed.is_set() and row.status == "completed"
    assert "0.05 seconds" in row.message.tools[0]["result"]


async def test_a_run_goes_on_after_the_step_that_it_had_finished(parts, asking, slow, upstream):
    """The process went away while a tool ran: the model is told, and not asked from the start."""
    config = {"tools": [{"builtin": "slow"}], "on_crash": "continue"}
    run = await asked(parts, asking, "[[upstream mode=tool pre=2]]", **config)
    job = await database_step(take, run)
    task = asyncio.create_task(parts.runner.execute(job, RunHandle(job.run)))
    await asyncio.wait_for(slow.begun.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await parts.recovery.sweep()
    row = await parts.ended(run)
    assert row.status == "completed"
    (tool,) = row.message.tools
    assert tool["isError"] and "may have run" in tool["result"]
    assert len(upstream.requests) == 2
    assert "may have run" in json.dumps(upstream.requests[1]["body"])
    assert row.message.content.startswith("w0 w1 RESULT<")


async def test_a_call_that_may_be_made_again_is(parts, asking, upstream, monkeypatch):
    """The same with a tool that only reads: it is carried out, and nobody hears of a fault."""
    begun = asyncio.Event()

    async def read(arguments: Nothing, context: ToolContext) -> str:
        if not begun.is_set():
            begun.set()
            await asyncio.Event().wait()
        return "what was read"

    monkeypatch.setitem(BUILTINS, "reading", Builtin("Reads.", Nothing, read, repeatable=True))
    config = {"tools": [{"builtin": "reading"}], "on_crash": "continue"}
    run = await asked(parts, asking, "[[upstream mode=tool pre=2]]", **config)
    job = await database_step(take, run)
    task = asyncio.create_task(parts.runner.execute(job, RunHandle(job.run)))
    await asyncio.wait_for(begun.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await parts.recovery.sweep()
    row = await parts.ended(run)
    (tool,) = row.message.tools
    assert (row.status, tool["isError"], tool["result"]) == ("completed", False, "what was read")
    assert len(upstream.requests) == 2


async def test_a_tool_that_this_version_lacks_is_left_out(caller, caplog):
    agent = replace(caller.agent, tools=[{"builtin": "from_a_newer_version"}])
    async with toolbox(Run(config=vars(agent))) as tools:
        assert isinstance(tools, NoTools)
    assert "from_a_newer_version" in caplog.text


async def sent_again(parts, asking, upstream, **config: Any) -> list[dict[str, Any]]:
    """The messages that a model is sent with the second question of a conversation, whose first
    answer used two tools."""
    first = "[[upstream mode=tool tools=2 pre=1 tokens=1]]"
    run = await asked(parts, asking, first, conversation_id="abc")
    parts.dispatcher.submit(run)
    assert (await parts.ended(run)).status == "completed"
    run = await asked(parts, asking, "[[upstream]]", conversation_id="abc", **config)
    parts.dispatcher.submit(run)
    assert (await parts.ended(run)).status == "completed"
    return upstream.requests[-1]["body"]["messages"]


async def test_a_later_run_sends_calls_and_results_of_the_earlier_one(parts, asking, upstream):
    messages = await sent_again(parts, asking, upstream)
    kinds = ["assistant", "user"]
    if asking.agent.provider == "openai":
        kinds = ["assistant", "tool", "tool"]
    said = [message["role"] for message in messages if message["role"] != "system"]
    assert said == ["user", *kinds, "assistant", "user"]
    assert "weekday" in str(messages[-3]["content"])


async def test_each_question_of_a_conversation_may_use_tools(parts, asking, upstream):
    ids: list[str] = []
    for _ in range(3):
        text = "[[upstream mode=tool tools=2 loop=2 tokens=1]]"
        run = await ask(parts, asking, text, conversation_id="abc")
        ids += [tool["id"] for tool in (await parts.ended(run)).message.tools]
    assert len(set(ids)) == len(ids) == 12


@pytest.mark.parametrize("config", [{"tools": []}, {"model": "other"}])
async def test_after_a_change_the_text_stands_for_it(parts, asking, upstream, config):
    messages = await sent_again(parts, asking, upstream, **config)
    said = [message["role"] for message in messages if message["role"] != "system"]
    assert said == ["user", "assistant", "user"]
    assert messages[-2]["content"].startswith("w0 RESULT<")


async def names_for(caller: Caller, owner: str) -> list[str]:
    config = vars(replace(caller.require_agent(), tools=[{"builtin": "memory"}]))
    async with toolbox(Run(config=config, owner=owner, agent_id="agt_1")) as tools:
        return [spec.name for spec in tools.specs()]


async def test_a_visitor_is_remembered_and_a_key_is_not(caller):
    assert await names_for(caller, "visitor:x") == [
        "memory_save",
        "memory_search",
        "memory_forget",
    ]
    assert len(await names_for(caller, "user:x")) == 3
    assert await names_for(caller, "keys") == await names_for(caller, "member:1") == []


async def test_a_memory_outlives_its_conversation(parts, asking, upstream):
    """B4: the next conversation of the same visitor finds it, and another visitor's does not."""
    seen = Notes()
    parts.observers._observers = (*parts.observers._observers, seen)
    save = base64.b64encode(b'{"key": "colour", "content": "Likes blue."}').decode()
    config = {"tools": [{"builtin": "memory"}]}
    results = []
    for owner, tool, given in [
        ("user:ada", "memory_save", save),
        ("user:ada", "memory_search", "empty"),
        ("user:bob", "memory_search", "empty"),
    ]:
        text = f"[[upstream mode=tool tool={tool} input={given}]]"
        run = await asked(parts, asking, text, **config)
        run.owner = owner
        await database_step(run.save)
        parts.dispatcher.submit(run)
        (used,) = (await parts.ended(run)).message.tools
        results.append(used["result"])
    saved, found, not_found = results
    assert found == {"memories": [saved["saved"]]}
    assert not_found == {"memories": []}
    assert seen.ops == [("save", "colour"), ("search", None), ("search", None)]
