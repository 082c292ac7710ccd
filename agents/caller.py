"""Who asks, of which agent: what every request is after it has been authorised."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from agents.models import Agent
from engine.errors import ClawError, invalid


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a request names its agent: the host, the path, the message or body (slug or id).

    `site` is the origin of the host that was asked; `same_origin`: the browser says that the page
    which asks is of that origin, too."""

    host_slug: str | None = None
    path_slug: str | None = None
    agent_id: str | None = None
    site: str | None = None
    same_origin: bool = False

    @property
    def names(self) -> list[str]:
        """All names that the request gives its agent; hosts are not case-sensitive."""
        host = self.host_slug and self.host_slug.lower()
        return [name for name in (host, self.path_slug, self.agent_id) if name is not None]


@dataclass(frozen=True, kw_only=True)
class AgentConfig:
    """An agent as it was at one moment: all that starting a run needs.

    Holds JSON types only, so `AgentConfig(**vars(config))` survives being stored. It has no
    secret: the credential is named, and read when a run starts (`agents.credentials`)."""

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
        )


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks, with a key or as a visitor (`key_id` is None). `owner` is whose conversations these
    are within an agent: all keys share `keys`, a visitor's is `visitor:<id>` or `user:<id>`.

    `trusted` callers see everything that a run's log holds, others what the agent shows.
    `monthly_budget` is in US dollars. `origin_allowed`: the page that asks may read the answer.
    `client` is the address from which it asks."""

    organization_id: str
    key_id: str | None = None
    owner: str = "keys"
    scopes: frozenset[str]
    agent: AgentConfig | None
    trusted: bool = True
    expires_at: datetime | None = None
    requests_per_minute: int | None = None
    messages_per_minute: int | None = None
    messages_per_day: int | None = None
    monthly_budget: Decimal | None = None
    origin_allowed: bool = False
    client: str = ""

    @property
    def name(self) -> str:
        """Tells this caller from all others: a key, or one visitor of one agent."""
        return self.key_id or f"{self.require_agent().id}:{self.owner}"

    def require(self, scope: str) -> None:
        """Raise `forbidden` unless the caller has this scope."""
        if scope not in self.scopes:
            whose = "This key" if self.trusted else "A visitor"
            raise ClawError("forbidden", f"{whose} has no scope “{scope}”.")

    def require_agent(self) -> AgentConfig:
        """The agent; raises `invalid_message` where none was named and there are several."""
        if self.agent is None:
            raise invalid("agentId", "Name the agent: this key opens more than one, or none yet.")
        return self.agent
