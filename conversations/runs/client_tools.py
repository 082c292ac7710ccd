"""The tools that come with a message: which of them its run gets."""

from collections.abc import Sequence
from typing import Any

from agents.caller import Caller
from agents.config import AgentConfig
from conversations.execution.setup.toolbox import names_of
from engine.errors import invalid
from wire.native import ClientTool


def entries_of(
    caller: Caller, agent: AgentConfig, tools: Sequence[ClientTool]
) -> list[dict[str, Any]]:
    """These tools as entries of a run's configuration. A visitor may bring only what the agent
    lists: the others are left out. Raises `invalid_message` for the name of a tool that the agent
    has itself."""
    if not caller.principal.trusted:
        tools = [tool for tool in tools if tool.name in agent.client_tools]
    taken = names_of(agent) if tools else set()
    for place, tool in enumerate(tools):
        if tool.name in taken:
            raise invalid(f"tools[{place}].name", f"The agent has a tool named “{tool.name}”.")
    return [
        {
            "client": tool.name,
            "description": tool.description,
            "inputSchema": {"type": "object", "properties": {}} | tool.input_schema,
        }
        for tool in tools
    ]
