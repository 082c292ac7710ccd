"""The holders of API keys: found by the key's digest (cached for seconds), checked, looked up
again."""

import hmac
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from agents import access, invalidation
from agents.auth import keys
from agents.caller import Address, Caller
from agents.config import AgentConfig, named
from agents.models import Agent, ApiKey
from agents.principal import OF_KEYS, Allowance, Kind, Principal
from agents.validators import is_name, scopes_with
from agents.versions.models import at_version
from core.cache import ExpiringCache
from core.chunks import chunks
from core.database import database_step
from engine.errors import ClawError

CACHE_SECONDS = 5.0
CACHE_SIZE = 10_000
USED_RESOLUTION = timedelta(minutes=1)  # `last_used_at` is written at most this often


@dataclass(frozen=True, kw_only=True)
class KnownKey:
    """A key as the database had it, and the agents that it opens and the request may mean."""

    principal: Principal
    allowed_origins: tuple[str, ...]
    revoked_at: datetime | None
    agents: tuple[AgentConfig, ...]


@dataclass(frozen=True, kw_only=True)
class KeyState:
    """The state of a key: the code of its end, if it has ended, and its version."""

    ended: str | None
    version: Hashable = None


DELETED = KeyState(ended="key_revoked")

_known: ExpiringCache[KnownKey] = ExpiringCache(size=CACHE_SIZE, seconds=CACHE_SECONDS)


async def authorize_key(digest: str, address: Address, origin: str | None) -> Caller:
    """The holder of the key with this digest, who asks from a page of this origin.

    Raises `invalid_token`, `token_expired`, `key_revoked`, `forbidden` (origin),
    `agent_not_found`, `agent_mismatch`."""
    key = await find(digest, frozenset(filter(is_name, address.names)))
    if code := keys.ended(key.revoked_at, key.principal.expires_at):
        raise ClawError(code, keys.ENDED[code])
    listed = origin in key.allowed_origins
    if origin is not None and key.allowed_origins and not listed:
        raise ClawError("forbidden", "This key may not be used from this origin.")
    agent = named(key.agents, address.names)
    return Caller(principal=key.principal, agent=agent, readable=listed)


async def find(digest: str, names: frozenset[str]) -> KnownKey:
    """The key with this digest, ended or not, and the agents that it opens which have the id or
    slug of one of `names`. Without names it has at most two of its agents: enough to see whether
    there is only one. Raises `invalid_token`."""
    key = await _known.fetch((digest, names), lambda: database_step(_load, digest, names))
    if key is None:
        raise ClawError("invalid_token", "Invalid token")
    return key


async def look_again(key_ids: Collection[str]) -> dict[str, KeyState]:
    """The states of these keys. Keys that are remembered are looked up too, and forgotten if
    they are not as they were. One query for very many of them."""
    asked = list({*key_ids, *(known.principal.id for known in _known.values())})
    states = dict.fromkeys(asked, DELETED)
    for some in chunks(asked):
        for key in await database_step(access.key_states, some):
            states[key.id] = KeyState(
                ended=keys.ended(key.revoked_at, key.expires_at), version=_version(key)
            )
    _known.remove(lambda known: _has_changed(known.principal, states))
    return {key_id: states[key_id] for key_id in key_ids}


@invalidation.on_change
def forget_organization(organization_id: str) -> None:
    """Ask the database again at the next use of a key of this organisation."""
    _known.remove(lambda known: known.principal.organization_id == organization_id)


def forget_all() -> None:
    """Ask the database again for every key."""
    _known.remove(lambda known: True)


def _has_changed(principal: Principal, states: dict[str, KeyState]) -> bool:
    state = states.get(principal.id)
    return state is not None and (state.ended is not None or state.version != principal.version)


def _version(key: ApiKey) -> Hashable:
    """A value that differs whenever something differs that the key may do."""
    texts = tuple(key.scopes), tuple(key.allowed_origins)
    limits = key.requests_per_minute, key.monthly_budget, key.pinned_id
    agents = key.every_agent, key.given, key.given_last  # see `access.key_states`
    return key.revoked_at, key.expires_at, *agents, *texts, *limits


def _load(digest: str, names: frozenset[str]) -> KnownKey | None:
    """See `find`. The digest is compared in constant time, and nothing but the time of one indexed
    query depends on whether the key exists."""
    key = access.find_key(digest)
    if key is None or not hmac.compare_digest(key.digest, digest):
        return None
    agents = access.usable_agents(key, names, at_most=len(names) or 2)
    if not keys.ended(key.revoked_at, key.expires_at):
        _note_use(key)
    principal = Principal(
        kind=Kind.KEY,
        id=key.id,
        organization_id=key.organization_id,
        owner=OF_KEYS,
        scopes=scopes_with(key.scopes),
        name=key.name,
        allowance=Allowance(
            requests_per_minute=key.requests_per_minute, monthly_budget=key.monthly_budget
        ),
        expires_at=key.expires_at,
        version=_version(key),
    )
    return KnownKey(
        principal=principal,
        allowed_origins=tuple(key.allowed_origins),
        revoked_at=key.revoked_at,
        agents=tuple(AgentConfig.of(_as_pinned(agent, key)) for agent in agents),
    )


def _as_pinned(agent: Agent, key: ApiKey) -> Agent:
    """The agent in the version that the key is pinned to, or as it is published."""
    pinned = key.pinned if key.pinned and key.pinned.agent_id == agent.pk else None
    return at_version(agent, pinned)


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at >= USED_RESOLUTION:
        key.last_used_at = now
        key.save(update_fields=["last_used_at"])
