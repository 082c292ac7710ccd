"""The version of an agent that a message asks for."""

from typing import Literal

from agents.access import agent_of
from agents.caller import Caller
from agents.config import AgentConfig
from agents.versions.access import drafted, version_of
from agents.versions.models import at_version, configuration
from core.database import database_step

Which = int | Literal["draft"] | None


async def chosen(caller: Caller, which: Which) -> AgentConfig:
    """The caller's agent in this version of it, or as its draft is; None: as the caller has it.

    Raises `forbidden` unless the caller may change agents, and `not_found`."""
    agent = caller.require_agent()
    if which is None:
        return agent
    caller.principal.require("agents:write")
    return await database_step(_load, caller, which)


def _load(caller: Caller, which: int | Literal["draft"]) -> AgentConfig:
    agent = agent_of(caller)
    if which != "draft":
        return AgentConfig.of(at_version(agent, version_of(agent, which)))
    made = drafted(agent)
    if configuration(made) != configuration(agent):
        made.version = 0
    return AgentConfig.of(made)
