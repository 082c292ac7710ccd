"""The toolbox of a run, from its agent's configuration."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeAlias

from django.conf import settings

from agents.auth.visitors import visitor_of
from agents.config import AgentConfig
from agents.outbound.mcp import endpoint_finder
from conversations.execution.claim import agent_of
from conversations.execution.waiting.agent_tools import AgentTools, Beginning
from conversations.execution.waiting.client_tools import ClientTools
from conversations.execution.waiting.elicitation import Elicitation
from conversations.execution.waiting.gate import Gate
from conversations.execution.waiting.questions import Questions
from conversations.models import Run
from engine.events import ASK_USER, Event
from engine.http.guard import Guard
from engine.tools.base import NoTools, Policy, Toolbox, policy_of
from engine.tools.builtin import fetch_page, search_knowledge
from engine.tools.builtin.base import Builtin, BuiltinTools
from engine.tools.combined import Combined
from engine.tools.mcp.names import safe
from engine.tools.mcp.pool import ServerPool
from engine.tools.mcp.toolbox import EVERY, Choice, McpTools
from engine.tools.registry import BUILTINS, ELSEWHERE, MEMORY
from knowledge.pages import text_of_html
from knowledge.retrieval import finder
from memories.access import Owner
from memories.tools import MEMORY_TOOLS, memory_tools

log = logging.getLogger(__name__)

Emit: TypeAlias = Callable[[Event], None]


def _ignore(event: Event) -> None:
    """For callers that want the specs alone."""


@asynccontextmanager
async def toolbox(
    run: Run,
    emit: Emit = _ignore,
    servers: ServerPool | None = None,
    dispatcher: Callable[[], Beginning] | None = None,
) -> AsyncIterator[Toolbox]:
    """The tools of a run, open for as long as the context is. `emit` gets what there is to say of
    them before the first call. Without `servers` there are no tools of MCP servers, and without
    `dispatcher` no other agents."""
    tools = _toolbox_of(run, emit, servers, dispatcher)
    await tools.open()
    try:
        yield tools
    finally:
        await tools.aclose()


def names_of(agent: AgentConfig) -> set[str]:
    """The names of the agent's own tools, as the model sees them, but for those of MCP servers that
    `*` stands for: these give way to others."""
    names: set[str] = set()
    for tool in agent.tools:
        match tool:
            case {"builtin": name}:
                names |= {*MEMORY_TOOLS} if name == MEMORY else {name}
            case {"agent": slug}:
                names.add(slug)
            case {"mcpServer": _, "name": name} if name != EVERY:
                names.add(safe(tool.get("rename") or name))
    return names


def _toolbox_of(
    run: Run,
    emit: Emit,
    servers: ServerPool | None,
    dispatcher: Callable[[], Beginning] | None,
) -> Toolbox:
    agent = agent_of(run)
    parts: list[Toolbox] = []
    if builtins := _builtin_tools(run):
        parts.append(builtins)
    if any(tool.get("builtin") == ASK_USER for tool in agent.tools):
        parts.append(Questions(run))
    asked = [tool for tool in agent.tools if "agent" in tool]
    if asked and dispatcher is not None:
        parts.append(AgentTools(run, asked, dispatcher()))
    if brought := [tool for tool in agent.tools if "client" in tool]:
        parts.append(ClientTools(run, brought))
    choices = [_choice(tool) for tool in agent.tools if "mcpServer" in tool]
    if choices and servers is not None:
        find = partial(endpoint_finder, agent.organization_id)
        taken = [
            *(tool["agent"] for tool in asked),
            *(spec.name for part in parts for spec in part.specs()),
        ]
        ask = Elicitation(run, emit, dispatcher).ask
        parts.append(McpTools(agent.organization_id, choices, find, servers, emit, taken, ask))
    return Gate(Combined(parts), run) if parts else NoTools()


def _builtin_tools(run: Run) -> BuiltinTools | None:
    """A tool that this version does not have is left out: a newer one may have accepted the run."""
    agent = agent_of(run)
    entries = {tool["builtin"]: tool for tool in agent.tools if "builtin" in tool}
    if missing := [name for name in entries if name not in (*BUILTINS, *ELSEWHERE)]:
        log.warning("agent %s has tools that are not known here: %s", agent.slug, missing)
    found: dict[str, Builtin] = {}
    policies: dict[str, Policy] = {}
    for name, entry in entries.items():
        tools = _builtins(run, name)
        found |= tools
        policies |= dict.fromkeys(tools, policy_of(entry))
    return BuiltinTools(found, policies) if found else None


def _builtins(run: Run, name: str) -> dict[str, Builtin]:
    """The tools for which a name in the configuration stands. Only visitors are remembered."""
    if name == MEMORY and visitor_of(run.owner) is not None:
        return memory_tools(Owner(run.agent_id, run.owner))
    if name == "search_knowledge":
        return {name: search_knowledge.tool(finder(agent_of(run)))}
    if name == "fetch_page":
        guard = Guard(settings.CLAW_ALLOW_PRIVATE_NETWORKS)
        return {name: fetch_page.tool(guard, text_of_html)}
    return {name: BUILTINS[name]} if name in BUILTINS else {}


def _choice(tool: dict[str, Any]) -> Choice:
    return Choice(
        server_id=tool["mcpServer"], name=tool["name"], rename=tool.get("rename"), rules=tool
    )
