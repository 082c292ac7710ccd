"""A request after authorisation: a principal, the agent that it asks, and from where."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from agents.config import SHOWN_TO_VISITORS, AgentConfig, no_such_agent
from agents.principal import Principal
from engine.errors import invalid


@dataclass(frozen=True, kw_only=True)
class Address:
    """The names by which a request names its agent: the host, the path, the message or body (slug
    or id).

    `site` is the origin of the host that was asked. `same_origin` means that the browser says that
    the asking page has that origin too."""

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
class Caller:
    """A principal that asks an agent, or none in particular (None).

    `readable`: the page that asks may read the answer. `client` is the network address. `again`
    derives the caller anew from the same credential, and raises what `authorize` raises."""

    principal: Principal
    agent: AgentConfig | None
    readable: bool = False
    client: str = ""
    again: "Callable[[], Awaitable[Caller]] | None" = field(default=None, repr=False, compare=False)

    def lasting(self, client: str, derive: "Callable[[], Awaitable[Caller]]") -> "Caller":
        """The caller at this address, who may ask more than once: `derive` looks up the rights
        each time. Their `again` raises `agent_not_found` if somebody or something else is
        derived: the address names another agent by now."""

        async def again() -> Caller:
            later = await derive()
            if self.agent is None:  # of a key that is given a single agent it stays open
                later = replace(later, agent=None)
            if later.identity != self.identity:
                raise no_such_agent()
            return replace(later, client=client, again=again)

        return replace(self, client=client, again=again)

    @property
    def identity(self) -> tuple[str, str | None]:
        """The principal and the agent, without what may change about them."""
        return self.principal.id, self.agent.id if self.agent else None

    def sees_less(self, later: "Caller") -> bool:
        """Whether `later` may not have, or is not shown, something that this caller has open."""
        if not self.principal.scopes <= later.principal.scopes:
            return True
        if self.principal.trusted or self.agent is None or later.agent is None:
            return False
        shown, then = self.agent, later.agent
        return any(getattr(shown, name) != getattr(then, name) for name in SHOWN_TO_VISITORS)

    def require_agent(self) -> AgentConfig:
        """The agent; raises `invalid_message` where none was named and there are several."""
        if self.agent is None:
            raise invalid("agentId", "Name the agent: you may ask several, or none yet.")
        return self.agent
