"""The rights that a key may hand on: never more than it has itself."""

from collections.abc import Collection
from typing import Any

from agents.models import Agent, ApiKey
from agents.public import visited
from engine.errors import ClawError


def check_grant(giver: ApiKey, key: ApiKey, agents: Collection[Agent]) -> None:
    """Raises `forbidden` if `key`, which opens `agents`, is more than `giver` in any respect.

    A giver with the scope `admin` may hand on anything in its organisation."""
    if "admin" in giver.scopes:
        return
    beyond = {
        "scopes": not set(key.scopes) <= set(giver.scopes),
        "agents": not _opens(giver, key, agents),
        "allowedOrigins": bool(giver.allowed_origins)
        and not set(key.allowed_origins or ["*"]) <= set(giver.allowed_origins),
        "expiresAt": _more(key.expires_at, giver.expires_at),
        "requestsPerMinute": _more(key.requests_per_minute, giver.requests_per_minute),
        "monthlyBudget": _more(key.monthly_budget, giver.monthly_budget),
        "agentVersion": giver.pinned_id not in (None, key.pinned_id),
    }
    for field, is_beyond in beyond.items():
        if is_beyond:
            raise ClawError(
                "forbidden",
                f"Your key cannot make or manage one with more than its own {field}.",
                details={"field": field},
            )


def scopes_of_users(giver: ApiKey, agent: Agent) -> frozenset[str]:
    """The scopes of the users for whom an identity secret of `agent` vouches, if `giver` makes it:
    those of any user that the key has too.

    Users have no end and no budget. Raises `forbidden` for a key that has one."""
    scopes = visited.SCOPES if "admin" in giver.scopes else visited.SCOPES & set(giver.scopes)
    check_grant(giver, ApiKey(scopes=sorted(scopes)), [agent])
    return scopes


def _opens(giver: ApiKey, key: ApiKey, agents: Collection[Agent]) -> bool:
    if giver.every_agent:
        return True
    own = set(giver.agents.values_list("id", flat=True))
    return not key.every_agent and {agent.id for agent in agents} <= own


def _more(value: Any, limit: Any) -> bool:
    """Whether the value exceeds the limit; no value at all exceeds every limit."""
    return limit is not None and (value is None or value > limit)
