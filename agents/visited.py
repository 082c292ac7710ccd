"""An agent as its visitors meet it: from which pages, how often, and what they see first."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Self

from accounts.database import database_step
from agents import access, changes, origins
from agents.cache import ExpiringCache
from agents.caller import Address, AgentConfig
from agents.models import Agent
from agents.validators import is_name

CACHE_SECONDS = 5.0
CACHE_SIZE = 1_000


@dataclass(frozen=True, kw_only=True)
class VisitedAgent:
    """What of an agent concerns its visitors. Limits are for each of them."""

    config: AgentConfig
    allowed_origins: tuple[str, ...]
    public_page: bool
    greeting: str
    prompts: tuple[str, ...]
    messages_per_minute: int
    messages_per_day: int
    identity_secret: str | None = field(repr=False)

    @classmethod
    def of(cls, agent: Agent) -> Self:
        """The agent as it is now; its organisation should be loaded with it."""
        return cls(
            config=AgentConfig.of(agent),
            allowed_origins=tuple(agent.allowed_origins),
            public_page=agent.public_page,
            greeting=agent.greeting,
            prompts=tuple(agent.prompts),
            messages_per_minute=agent.visitor_messages_per_minute,
            messages_per_day=agent.visitor_messages_per_day,
            identity_secret=access.identity_secret(agent),
        )

    @property
    def welcomes(self) -> bool:
        """Whether there is any page from which a visitor may come."""
        return self.public_page or bool(self.allowed_origins)

    def allows(self, origin: str | None, address: Address) -> bool:
        """Whether a page of this origin may ask it: one that it names, or its own public page."""
        if origin is None:
            return False
        if origins.matches(origin, self.allowed_origins):
            return True
        at_home = address.host_slug is not None and address.host_slug.lower() == self.config.slug
        return self.public_page and at_home and origin == address.site


_known: ExpiringCache[VisitedAgent] = ExpiringCache(size=CACHE_SIZE, seconds=CACHE_SECONDS)


async def find(names: Collection[str]) -> VisitedAgent | None:
    """The one agent that all `names` (ids or slugs, at least one) mean; None if there is none.

    Costs a database step every few seconds."""
    wanted = frozenset(names)
    if not wanted or not all(map(is_name, wanted)):
        return None
    return await _known.fetch(wanted, lambda: database_step(_load, wanted))


@changes.forgets
def forget_organization(organization_id: str) -> None:
    """Ask the database again at the next visit to an agent of this organisation."""
    _known.remove(lambda known: known.config.organization_id == organization_id)


def forget_all() -> None:
    """Ask the database again for every agent."""
    _known.remove(lambda known: True)


def _load(names: frozenset[str]) -> VisitedAgent | None:
    agent = access.agent_of_visitors(names)
    return agent and VisitedAgent.of(agent)
