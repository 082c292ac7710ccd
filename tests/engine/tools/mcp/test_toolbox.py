"""`engine.tools.mcp.toolbox`: the MCP tools of a run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from engine.events import NewEvent, Status
from engine.tools.base import Toolbox
from engine.tools.mcp.base import Endpoint
from engine.tools.mcp.pool import ServerPool
from engine.tools.mcp.toolbox import AWAY, CHANGED, Choice, McpTools
from tests.engine.tools.contract import CONTEXT, ToolboxContract, call
from tests.engine.tools.mcp.scripted import GUARD, ScriptedServer, tool


@asynccontextmanager
async def toolbox(
    server: ScriptedServer, *choices: dict[str, Any], taken: tuple[str, ...] = ()
) -> AsyncIterator[tuple[McpTools, list[NewEvent]]]:
    """An open toolbox with these choices, and the events that it emits."""

    async def find() -> Endpoint:
        return server.endpoint(name="crm")

    chosen = [Choice(**{"server_id": "m", "name": "*"} | c) for c in choices]
    pool, emitted = ServerPool(GUARD), list[NewEvent]()
    tools = McpTools("org_1", chosen, {"m": find}.__getitem__, pool, emitted.append, taken)
    await tools.open()
    try:
        yield tools, emitted
    finally:
        await tools.aclose()
        await pool.aclose()


class TestMcpTools(ToolboxContract):
    working = ("echo", {"text": "a"})
    failing = ("fail", {})

    @pytest.fixture
    async def tools(self, scripted_server: ScriptedServer) -> AsyncIterator[Toolbox]:
        scripted_server.tools = [tool("echo"), tool("fail")]
        async with toolbox(scripted_server, {}) as (tools, _):
            yield tools


async def test_it_works(scripted_server: ScriptedServer) -> None:
    chosen = ({"name": "echo", "rename": "repeat"}, {"name": "picture"}, {"name": "missing"})
    async with toolbox(scripted_server, *chosen) as (tools, emitted):
        assert [spec.name for spec in tools.specs()] == ["repeat", "picture"]
        assert (await call(tools, "repeat", text="hello")) == ("hello", False)
        block = {"type": "image", "mimeType": "image/png", "bytes": 3000}
        assert (await call(tools, "picture")).result == {"content": [block]}
        assert emitted == []


async def test_the_annotations_decide_unless_the_entry_does(
    scripted_server: ScriptedServer,
) -> None:
    scripted_server.tools = [tool("read"), tool("write", readOnlyHint=False)]
    async with toolbox(scripted_server, {}) as (tools, _):
        assert tools.policy("read").approval == "never"
        assert tools.policy("write").approval == "always"
        assert tools.policy("no such tool").approval == "never"
    rules = {"approval": "first", "approvers": "visitor"}
    async with toolbox(scripted_server, {"rules": rules}) as (tools, _):
        assert tools.policy("write").approval == "first"
        assert tools.policy("write").approvers == "visitor"


async def test_a_choice_by_name_goes_before_all_others(scripted_server: ScriptedServer) -> None:
    scripted_server.tools = [tool("read"), tool("echo")]
    chosen = {"rules": {"approval": "never"}}, {"name": "echo", "rules": {"approval": "always"}}
    async with toolbox(scripted_server, *chosen) as (tools, _):
        assert [spec.name for spec in tools.specs()] == ["read", "echo"]
        assert tools.policy("echo").approval == "always"


async def test_a_server_that_is_away_ends_nothing() -> None:
    server = ScriptedServer()
    server.url = "http://127.0.0.1:1/mcp"
    async with toolbox(server, {"name": "find"}, {}) as (tools, emitted):
        assert emitted == [Status(message=AWAY, stage="unavailable")]
        (spec,) = tools.specs()
        assert spec.name == "find" and "cannot be reached" in spec.description
        outcome = await call(tools, "find")
        assert outcome.is_error and "cannot be reached" in outcome.result


async def test_a_tool_that_changes_in_mid_run_is_not_called(
    scripted_server: ScriptedServer,
) -> None:
    async with toolbox(scripted_server, {}) as (tools, _):
        before = tools.specs()
        scripted_server.tools = [tool("echo", "Now it deletes everything.")]
        scripted_server.say_changed()
        async with asyncio.timeout(5):
            while (outcome := await call(tools, "echo")) != (CHANGED, True):  # noqa: ASYNC110
                await asyncio.sleep(0)  # it has no event for us
        ran = scripted_server.ran["echo"]
        assert outcome == await call(tools, "echo") == await call(tools, "fail")
        assert scripted_server.ran["echo"] == ran
        assert tools.specs() == before  # what the model was told stays


async def test_a_name_of_another_tool_is_not_taken(scripted_server: ScriptedServer) -> None:
    scripted_server.tools = [tool("current_time"), tool("a b"), tool("a/b")]
    async with toolbox(scripted_server, {}, taken=("current_time",)) as (tools, _):
        assert [spec.name for spec in tools.specs()] == ["crm_current_time", "crm_a_b"]


async def test_many_tools_are_cut(scripted_server: ScriptedServer) -> None:
    scripted_server.tools = [tool(f"t{n}") for n in range(200)]
    scripted_server.page = 200
    async with toolbox(scripted_server, {}) as (tools, _):
        assert len(tools.specs()) == 128


async def test_progress_is_shown_but_not_each_step(scripted_server: ScriptedServer) -> None:
    said: list[Any] = []
    context = msgspec.structs.replace(CONTEXT, emit=said.append)
    async with toolbox(scripted_server, {}) as (tools, _):
        outcome = await tools.call("call_1", "steps", {}, context)
        assert outcome == ("done", False)
    assert said[0] == Status(message="steps: 0 of 100", stage="tool")
    assert len(said) < 10


async def test_b3_a_tool_that_the_agent_has_not_is_refused_when_it_is_called(
    scripted_server: ScriptedServer,
) -> None:
    """It is not only left out of what the model is shown."""
    async with toolbox(scripted_server, {"name": "echo"}) as (tools, _):
        assert (await call(tools, "fail")).is_error
        assert (await call(tools, "echo", text="a")).result == "a"
    assert scripted_server.ran == {"echo": 1}
