"""`/api/agents/{id}/keys`: the keys that open an agent. A key itself is shown once, when made."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from agents import access
from agents.auth import grants, keys, rotation
from agents.caller import Caller
from agents.config import no_such_agent
from agents.models import Agent, AgentVersion, ApiKey
from agents.validators import DEFAULT_SCOPES
from agents.versions import access as versions
from core.http import Answer, newest, page_of, read
from engine.errors import invalid
from wire.objects import management
from wire.parse import check_storable

_new_key = msgspec.json.Decoder(management.NewKey)
_rotation = msgspec.json.Decoder(management.Rotation)


def index(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`GET /api/agents/{id}/keys`: the newest first, also those that have ended."""
    caller.principal.require("keys:write")
    opening = access.keys_of_agent(caller).prefetch_related("agents", "pinned")
    rows, cursor = newest(opening, page_of(request))
    return Answer(management.KeyPage(keys=list(map(shown, rows)), next_cursor=cursor))


@transaction.atomic
def create(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/agents/{id}/keys`: 201, with the key in `apiKey`."""
    caller.principal.require("keys:write")
    body = read(_new_key, request)
    key, token = make(caller, body, {caller.require_agent().id, *body.agents})
    return Answer(shown(key), 201, secret={"apiKey": token})


def rotate(request: HttpRequest, caller: Caller, key_id: str) -> Answer:
    """`POST /api/agents/{id}/keys/{keyId}/rotate`: 201, with the new key in `apiKey`."""
    overlap = timedelta(seconds=read(_rotation, request).overlap_seconds)
    successor, token = rotation.rotate(_managed(caller, key_id), overlap=overlap)
    return Answer(shown(successor), 201, secret={"apiKey": token})


def revoke(request: HttpRequest, caller: Caller, key_id: str) -> Answer:
    """`POST /api/agents/{id}/keys/{keyId}/revoke`: for good; once more changes nothing."""
    key = _managed(caller, key_id)
    keys.revoke(key)
    return Answer(shown(key))


@transaction.atomic
def make(caller: Caller, body: management.NewKey, names: Collection[str]) -> tuple[ApiKey, str]:
    """A new key that opens the agents with these ids and slugs, or every agent if the body says
    so; and its token, which nobody can show again. Raises `agent_not_found`, `forbidden`,
    `invalid_message`, ValidationError."""
    check_storable("name", body.name)
    check_storable("agents", body.agents)
    giver, opened = access.key_of(caller.principal), _agents(caller, body, names)
    key = _row(giver, body)
    key.pinned = _pinned(giver, body, opened)
    token = keys.store(key, opened)
    grants.check_grant(giver, key, opened)  # of what is valid: else nothing of it is kept
    return key, token


def _managed(caller: Caller, key_id: str) -> ApiKey:
    """Raises `not_found`, and `forbidden` for a key that is more than the caller's own."""
    caller.principal.require("keys:write")
    key = access.key_of_agent(caller, key_id)
    grants.check_grant(access.key_of(caller.principal), key, key.agents.all())
    return key


def _agents(caller: Caller, body: management.NewKey, names: Collection[str]) -> list[Agent]:
    if body.every_agent:
        return []
    found = access.agents_named(caller, names)
    if not set(names) <= {name for agent in found for name in (agent.id, agent.slug)}:
        raise no_such_agent()
    return found


def _pinned(giver: ApiKey, body: management.NewKey, opened: list[Agent]) -> AgentVersion | None:
    """The version that the body names; without one that of a giver who is no admin."""
    if body.agent_version is msgspec.UNSET:
        return None if "admin" in giver.scopes else giver.pinned
    if body.agent_version is None:
        return None
    if len(opened) != 1:
        raise invalid("agentVersion", "Only a key of one agent has a version of it.")
    return versions.version_of(opened[0], body.agent_version)


def _row(giver: ApiKey, body: management.NewKey) -> ApiKey:
    free = "admin" in giver.scopes
    limits = {}
    for name in ("expires_at", "requests_per_minute", "monthly_budget"):
        given = getattr(body, name)
        absent = None if free else getattr(giver, name)
        limits[name] = absent if given is msgspec.UNSET else given
    if limits["expires_at"]:
        limits["expires_at"] = _future(limits["expires_at"])
    return ApiKey(
        organization_id=giver.organization_id,
        name=body.name,
        every_agent=body.every_agent,
        scopes=list(DEFAULT_SCOPES) if body.scopes is None else body.scopes,
        allowed_origins=body.allowed_origins,
        lineage="" if free or giver.monthly_budget is None else giver.lineage,
        **limits,
    )


def _future(moment: datetime) -> datetime:
    """The moment in UTC, as it is kept. Raises ClawError `invalid_message`."""
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:  # at the calendar's edge there may be no such moment in UTC
        raise invalid("expiresAt", "This moment is outside the calendar.") from None
    if moment <= timezone.now():
        raise invalid("expiresAt", "This moment has passed.")
    return moment


def shown(key: ApiKey) -> management.Key:
    """A key as the API shows it."""
    return management.Key(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        last_four=key.last_four,
        scopes=key.scopes,
        every_agent=key.every_agent,
        agents=[agent.id for agent in key.agents.all()],
        allowed_origins=key.allowed_origins,
        requests_per_minute=key.requests_per_minute,
        monthly_budget=None if key.monthly_budget is None else float(key.monthly_budget),
        agent_version=key.pinned.number if key.pinned else None,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        last_used_at=key.last_used_at,
        created_at=key.created_at,
        rotated_from=key.rotated_from_id or msgspec.UNSET,
    )
