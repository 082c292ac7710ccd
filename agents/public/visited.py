"""An agent as its visitors meet it: its pages, its limits, and its greeting."""

import hashlib
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from django.conf import settings

from agents import access, invalidation
from agents.caller import Address
from agents.config import AgentConfig
from agents.models import Agent
from agents.principal import Allowance, Kind, Principal
from agents.public import origins
from agents.validators import is_name
from agents.versions import access as versions
from core.cache import ExpiringCache
from core.chunks import chunks
from core.database import database_step
from wire.objects.widget import WidgetSettings, widget_of

SCOPES = frozenset({"chat", "conversations:read", "conversations:write"})
"""The scopes of a visitor; a user has those of them that the identity secret's maker had."""
USER = "user"
CACHE_SECONDS = 5.0
CACHE_SIZE = 1_000


@dataclass(frozen=True, kw_only=True)
class VisitedAgent:
    """The part of an agent that concerns its visitors. Limits are for each of them."""

    config: AgentConfig
    allowed_origins: tuple[str, ...]
    public_page: bool
    greeting: str
    prompts: tuple[str, ...]
    widget: WidgetSettings
    messages_per_minute: int
    messages_per_day: int
    identity_secret: str | None = field(repr=False)
    user_scopes: frozenset[str] = frozenset()
    version: Hashable = None

    @classmethod
    def of(cls, agent: Agent) -> Self:
        """The agent as it is now; its organisation should be loaded with it."""
        identity = access.identity_of(agent)
        version = access.agent_version(agent, identity and identity.created_at)
        agent = versions.for_visitors(agent)
        return cls(
            config=AgentConfig.of(agent),
            allowed_origins=tuple(agent.allowed_origins),
            public_page=agent.public_page,
            greeting=agent.greeting,
            prompts=tuple(agent.prompts),
            widget=widget_of(agent.widget),
            messages_per_minute=agent.visitor_messages_per_minute,
            messages_per_day=agent.visitor_messages_per_day,
            identity_secret=identity and identity.value,
            user_scopes=frozenset(identity.scopes if identity else ()),
            version=version,
        )

    def voucher(self, name: str) -> str:
        """The trace of the identity secret that vouches for a user, by the visitor's id or the
        owner of conversations; empty for other visitors. A new secret has another trace, so all
        that the old secret vouched for ends. The secret cannot be found from it."""
        if not name.startswith(f"{USER}:"):
            return ""
        secret = self.identity_secret or ""
        return hashlib.sha256(f"clawsite.via:{secret}".encode()).hexdigest()[:16]

    def visitor(self, owner: str, expires_at: datetime) -> Principal:
        """The visitor who owns these conversations with the agent."""
        return Principal(
            kind=Kind.VISITOR,
            # No id of ours has a colon, so the first one ends the agent's.
            id=f"{self.config.id}:{owner}",
            organization_id=self.config.organization_id,
            owner=owner,
            scopes=SCOPES & self.user_scopes if owner.startswith(f"{USER}:") else SCOPES,
            allowance=Allowance(
                requests_per_minute=settings.CLAW_VISITOR_REQUESTS_PER_MINUTE,
                messages_per_minute=self.messages_per_minute,
                messages_per_day=self.messages_per_day,
            ),
            expires_at=expires_at,
            via=self.voucher(owner),
            version=self.version,
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

    It costs a database step every few seconds."""
    wanted = frozenset(names)
    if not wanted or not all(map(is_name, wanted)):
        return None
    return await _known.fetch(wanted, lambda: database_step(_load, wanted))


@invalidation.on_change
def forget_organization(organization_id: str) -> None:
    """Ask the database again at the next visit to an agent of this organisation."""
    _known.remove(lambda known: known.config.organization_id == organization_id)


def forget_all() -> None:
    """Ask the database again for every agent."""
    _known.remove(lambda known: True)


def _load(names: frozenset[str]) -> VisitedAgent | None:
    agent = access.agent_of_visitors(names)
    return agent and VisitedAgent.of(agent)


async def look_again(agent_ids: Collection[str]) -> dict[str, Hashable]:
    """The versions of these agents now; of those that are gone None. An entry that has changed is
    forgotten."""
    asked = list({*agent_ids, *(known.config.id for known in _known.values())})
    versions: dict[str, Hashable] = dict.fromkeys(asked)
    for some in chunks(asked):
        versions |= await database_step(access.agent_states, some)
    _known.remove(
        lambda known: known.config.id in versions and versions[known.config.id] != known.version
    )
    return {agent_id: versions[agent_id] for agent_id in agent_ids}
