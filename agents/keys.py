"""API keys: made, found again (cached for seconds), revoked."""

import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.database import database_step
from accounts.models import Organization
from agents import access, changes, key_format
from agents.cache import ExpiringCache
from agents.caller import AgentConfig
from agents.models import Agent, ApiKey
from engine.errors import ClawError

CACHE_SECONDS = 5.0
CACHE_SIZE = 10_000
USED_RESOLUTION = timedelta(minutes=1)  # `last_used_at` is written at most this often

ENDED = {
    "key_revoked": "This key has been revoked.",
    "token_expired": "This key has expired.",
}


@dataclass(frozen=True, kw_only=True)
class KnownKey:
    """A key as the database had it, and those agents it opens that the request may mean."""

    id: str
    organization_id: str
    scopes: frozenset[str]
    allowed_origins: tuple[str, ...]
    requests_per_minute: int | None
    monthly_budget: Decimal | None
    expires_at: datetime | None
    revoked_at: datetime | None
    agents: tuple[AgentConfig, ...]


_known: ExpiringCache[KnownKey] = ExpiringCache(size=CACHE_SIZE, seconds=CACHE_SECONDS)


def create_key(
    organization: Organization,
    *,
    name: str,
    agents: Sequence[Agent] = (),
    scopes: Sequence[str] | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Store a new key; returns its row and the key itself, which nobody can show again.

    It opens `agents`, or without any every agent of the organisation. Raises ValidationError."""
    key = ApiKey(organization=organization, name=name, every_agent=not agents)
    key.expires_at = expires_at
    if scopes is not None:
        key.scopes = list(scopes)
    return key, store(key, agents)


def store(key: ApiKey, agents: Sequence[Agent]) -> str:
    """Save a new row that opens `agents`; returns its token, which nobody can show again.

    Raises ValidationError."""
    if any(agent.organization_id != key.organization_id for agent in agents):
        raise ValidationError({"agents": "This organisation has no such agent."})
    token = issue(key)
    key.full_clean()
    with transaction.atomic():
        key.save()
        key.agents.set(agents)
    return token


def issue(key: ApiKey) -> str:
    """Give an unsaved row its token: returns it, keeps its digest and visible parts."""
    key.lineage = key.lineage or key.id
    token = key_format.generate()
    key.digest = key_format.digest(token)
    key.prefix, key.last_four = key_format.visible_parts(token)
    return token


def revoke(key: ApiKey) -> None:
    """End a key for good. What it opened is cut by the sweep within half a second."""
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
    changes.announce(key.organization_id)


@changes.forgets
def forget_organization(organization_id: str) -> None:
    """Ask the database again at the next use of a key of this organisation."""
    _known.remove(lambda known: known.organization_id == organization_id)


def forget_all() -> None:
    """Ask the database again for every key."""
    _known.remove(lambda known: True)


def ended(revoked_at: datetime | None, expires_at: datetime | None) -> str | None:
    """The error code of a key that opens nothing any more (one of `ENDED`), or None."""
    if revoked_at is not None:
        return "key_revoked"
    if expires_at is not None and expires_at <= timezone.now():
        return "token_expired"
    return None


async def find(token: str, names: frozenset[str]) -> KnownKey:
    """The key `token`, with those of its agents that have the id or slug of one of `names`.

    Without names: its agents, but no more than two, enough to see whether it is the only one.
    Raises `invalid_token`. The digest is compared in constant time, and nothing but the time of
    one indexed query depends on whether the key exists."""
    if not key_format.is_well_formed(token):
        raise ClawError("invalid_token", "Invalid token")
    return await of_digest(key_format.digest(token), names)


async def of_digest(digest: str, names: frozenset[str]) -> KnownKey:
    """The same for the key with this digest, for somebody whom its holder has sent."""
    known = await _known.fetch((digest, names), lambda: database_step(_load, digest, names))
    if known is None:
        raise ClawError("invalid_token", "Invalid token")
    return known


async def revoked_among(key_ids: Collection[str]) -> dict[str, str]:
    """Which of these keys have ended, with the error code: one query for all of them.

    Also looks at the keys that the cache holds, and forgets those that have ended."""
    asked = {*key_ids, *(known.id for known in _known.values())}
    if not asked:
        return {}
    states = {key.id: key for key in await database_step(access.key_states, asked)}
    codes = {}
    for key_id in asked:
        key = states.get(key_id)
        # A deleted row ends its key too.
        code = ended(key.revoked_at, key.expires_at) if key else "key_revoked"
        if code:
            codes[key_id] = code
    if codes:
        _known.remove(lambda known: known.id in codes)
    return {key_id: codes[key_id] for key_id in key_ids if key_id in codes}


def _load(digest: str, names: frozenset[str]) -> KnownKey | None:
    key = access.find_key(digest)
    if key is None or not hmac.compare_digest(key.digest, digest):
        return None
    agents = access.usable_agents(key, names, at_most=len(names) or 2)
    if not ended(key.revoked_at, key.expires_at):
        _note_use(key)
    return KnownKey(
        id=key.id,
        organization_id=key.organization_id,
        scopes=frozenset(key.scopes),
        allowed_origins=tuple(key.allowed_origins),
        requests_per_minute=key.requests_per_minute,
        monthly_budget=key.monthly_budget,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        agents=tuple(map(AgentConfig.of, agents)),
    )


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at >= USED_RESOLUTION:
        key.last_used_at = now
        key.save(update_fields=["last_used_at"])
