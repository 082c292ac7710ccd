"""`conversations.execution.setup.toolbox`: tools of MCP servers in the runs of an agent."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from agents.caller import Caller
from agents.models import McpServer
from conversations.execution.dispatch.inline import InlineDispatcher
from conversations.execution.enqueue import no_queue
from conversations.execution.setup.toolbox import toolbox
from conversations.execution.waiting.decisions import decide
from conversations.models import Decision
from core.database import database_step
from engine.events import AnyEvent, ApprovalRequired, Status, ToolResult
from engine.tools.mcp.pool import ServerPool
from engine.tools.mcp.toolbox import AWAY
from tests.conversations.parts import Parts
from tests.engine.tools.mcp.scripted import GUARD, ScriptedServer, scripted, tool
from tests.upstream import Upstream


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream() as upstream:
        yield upstream


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted() as server:
        yield server


@pytest.fixture
async def pool() -> AsyncIterator[ServerPool]:
    pool = ServerPool(GUARD)
    yield pool
    await pool.aclose()


class Asking:
    """Asks an agent that has tools of the scripted MCP server."""

    def __init__(self, parts: Parts, pool: ServerPool, caller: Caller) -> None:
        runner = parts.new_runner(open_toolbox=partial(toolbox, servers=pool))
        self.parts, self.caller = parts, caller
        self.dispatcher = InlineDispatcher(runner)

    async def run(self, tool: str, server: ScriptedServer, **entry: Any) -> list[AnyEvent]:
        """The events of a run in which the model calls the tool."""
        id = await database_step(self._stored, server)
        args = base64.b64encode(json.dumps({"text": "hello"}).encode()).decode()
        text = f"[[upstream mode=tool tool={tool} input={args}]]"
        run = await self.parts.accept(self.caller, text)
        entries = [{"mcpServer": id, "name": "*"} | entry]
        agent = replace(self.caller.require_agent(), tools=entries)
        run.provider, run.model, run.config = agent.provider, agent.model, vars(agent)
        await database_step(run.save)
        self.dispatcher.submit(run)
        return await self.parts.events(run, lambda event: event.type == "run_waiting")

    def _stored(self, server: ScriptedServer) -> str:
        owner = self.caller.principal.organization_id
        return McpServer.objects.get_or_create(
            organization_id=owner, name="crm", defaults={"url": server.url}
        )[0].id


@pytest.fixture
def asking(parts, pool, caller, agent, upstream, settings) -> Asking:
    settings.ANTHROPIC_BASE_URL, settings.ANTHROPIC_API_KEY = upstream.url, "sk-test"
    agent.organization.platform_credentials = True
    agent.organization.save()
    config = replace(caller.agent, provider="anthropic", model="m", platform_credentials=True)
    return Asking(parts, pool, replace(caller, agent=config))


def result_of(events: list[AnyEvent]) -> ToolResult:
    (result,) = [event for event in events if isinstance(event, ToolResult)]
    return result


async def test_it_works(asking, server, upstream):
    events = await asking.run("echo", server)
    result = result_of(events)
    assert (result.tool, result.result, result.is_error) == ("echo", "hello", False)
    assert [event.type for event in events][-2:] == ["message_complete", "done"]
    await asking.run("echo", server)
    assert server.requests["initialize"] == 1  # runs share the connection


async def test_progress_is_a_status(asking, server):
    events = await asking.run("steps", server)
    said = [event.message for event in events if isinstance(event, Status)]
    assert said[0] == "steps: 0 of 100"


async def test_a_server_that_is_away_is_not_the_end_of_the_answer(asking, server):
    away = ScriptedServer()
    away.url = "http://127.0.0.1:1/mcp"
    events = await asking.run("find", away, name="find")
    assert [event.message for event in events if isinstance(event, Status)] == [AWAY]
    assert result_of(events).is_error and "cannot be reached" in result_of(events).result
    assert events[-2].type == "message_complete"


async def test_a_server_that_dies_in_mid_call_is_not_the_end_of_the_answer(asking, server):
    events = await asking.run("die", server)
    assert result_of(events).is_error and "may have run" in result_of(events).result
    assert server.ran["die"] == 1 and events[-2].type == "message_complete"


async def test_a_result_of_megabytes_is_an_error(asking, server):
    result = result_of(await asking.run("huge", server))
    assert result.is_error and "too large" in result.result


async def test_b2_mcp_tools_have_the_same_gate(asking, server):
    server.tools = [tool("echo", readOnlyHint=False)]
    events = await asking.run("echo", server)
    (required,) = [event for event in events if isinstance(event, ApprovalRequired)]
    assert (required.tool, required.approvers) == ("echo", "members")
    assert events[-1].type == "run_waiting" and not server.ran["echo"]
    allowed = result_of(await asking.run("echo", server, approval="never"))
    assert allowed.result == "hello"


async def test_what_a_server_asks_is_a_question_to_the_user(asking, server, settings):
    """Once it is answered the call goes on, and nothing waits any more. Neither the time of the
    call nor that of the run passes meanwhile."""
    settings.CLAW_RUN_TIMEOUT = settings.CLAW_TOOL_TIMEOUT = 2
    server.form = {"type": "object", "properties": {"name": {"type": "string"}}}
    running = asyncio.create_task(asking.run("ask", server))
    await asyncio.wait_for(server.began.wait(), 5)

    def answered() -> bool:
        row = Decision.objects.select_related("run").filter(tool="ask").first()
        if row is not None and row.requested_at + timedelta(seconds=2.5) > timezone.now():
            return False
        if row is not None:
            decide(row, {"status": "approved", "given": "Ada"}, no_queue)
        return row is not None

    async with asyncio.timeout(10):
        while not await database_step(answered):  # noqa: ASYNC110 - a row tells nobody
            await asyncio.sleep(0.01)
    events = await running
    (question,) = [event for event in events if event.type == "question"]
    assert (question.text, question.schema) == ("Which one?", None)
    assert server.answer == {"action": "accept", "content": {"name": "Ada"}}
    answer, result = [event for event in events if isinstance(event, ToolResult)]
    assert (answer.id, answer.client, answer.result) == (question.id, True, "Ada")
    assert not result.is_error and events[-2].type == "message_complete"
