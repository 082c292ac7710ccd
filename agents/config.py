"""An agent's configuration as a run needs it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from agents.models import Agent
from engine.errors import ClawError

SHOWN_TO_VISITORS = ("show_thinking", "show_tools", "show_usage")
"""The fields that decide what an agent's visitors see of an answer."""


@dataclass(frozen=True, kw_only=True)
class AgentConfig:
    """An agent as it was at one moment: all that starting a run needs.

    It holds JSON types only, so `vars(config)` is what a run's row keeps. It has no secret: the
    credential is named, and read when a run starts (`agents.outbound.credentials`). `version` is 0
    for a draft, and of runs that began before agents had versions."""

    id: str
    slug: str
    name: str
    organization_id: str
    instructions: str
    provider: str
    model: str
    base_url: str
    credential_id: str | None
    platform_credentials: bool
    parameters: dict[str, Any]
    max_tokens: int
    context_tokens: int
    thinking: bool
    show_thinking: bool
    show_tools: bool
    if_busy: str
    on_disconnect: str
    on_crash: str = "fail"
    show_usage: bool = False
    tools: list[dict[str, Any]] = field(default_factory=list)
    client_tools: list[str] = field(default_factory=list)
    version: int = 0
    archived: bool = False

    @classmethod
    def stored(cls, config: dict[str, Any]) -> Self:
        """The agent as a run's row keeps it, without fields that only a newer version knows: during
        an upgrade both versions carry out runs."""
        return cls(**{name: config[name] for name in cls.__dataclass_fields__ if name in config})

    @classmethod
    def of(cls, agent: Agent) -> Self:
        """The agent as it is now; its organisation should be loaded with it."""
        return cls(
            id=agent.id,
            slug=agent.slug,
            name=agent.name,
            organization_id=agent.organization_id,
            instructions=agent.instructions,
            provider=agent.provider,
            model=agent.model,
            base_url=agent.base_url,
            credential_id=agent.credential_id,
            platform_credentials=agent.organization.may_use_platform_credentials(),
            parameters=agent.parameters,
            max_tokens=agent.max_tokens,
            context_tokens=agent.context_tokens,
            thinking=agent.thinking,
            show_thinking=agent.show_thinking,
            show_tools=agent.show_tools,
            if_busy=agent.if_busy,
            on_disconnect=agent.on_disconnect,
            on_crash=agent.on_crash,
            show_usage=agent.show_usage,
            tools=agent.tools,
            client_tools=agent.client_tools,
            version=agent.version,
            archived=agent.archived_at is not None,
        )


def no_such_agent() -> ClawError:
    """The error for an agent that does not exist, or that the caller may not use."""
    return ClawError("agent_not_found", "There is no such agent.")


def named(agents: Sequence[AgentConfig], names: Sequence[str]) -> AgentConfig | None:
    """The one of `agents` that all `names` (ids or slugs) mean. Without names it is the only one,
    or None. Raises `agent_not_found`, `agent_mismatch`."""
    if not names:
        return agents[0] if len(agents) == 1 else None
    by_name = {name: agent for agent in agents for name in (agent.id, agent.slug)}
    if any(name not in by_name for name in names):
        raise no_such_agent()
    if len({by_name[name].id for name in names}) > 1:
        raise ClawError("agent_mismatch", "The request names two different agents.")
    return by_name[names[0]]
