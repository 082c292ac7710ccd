"""`/api/agents/{id}/draft`: the configuration that the next version will have."""

from typing import Any

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from agents import access
from agents.api.agents import check_change, check_storable_fields
from agents.caller import Caller
from agents.models import Agent
from agents.versions import access as versions
from agents.versions.models import configuration, configured
from core.http import Answer, check_if_match, read, unchanged
from wire.objects import configuration as wire
from wire.objects.versions import Draft

_fields = msgspec.json.Decoder(wire.Configuration)


def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`GET /api/agents/{id}/draft`: with an `ETag`; without changes it is what is published."""
    caller.principal.require("agents:read")
    agent = access.agent_of(caller)
    if unchanged(request, etag := etag_of(agent)):
        return HttpResponse(status=304, headers={"ETag": etag})
    return _answer(agent)


@transaction.atomic
def change(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`PATCH /api/agents/{id}/draft`: what the body names; with `If-Match` only if nobody was
    faster."""
    caller.principal.require("agents:write")
    agent = access.agent_of(caller, lock=True)
    check_if_match(request, etag_of(agent))
    alter(caller, agent, check_storable_fields(read(_fields, request)))
    return _answer(agent)


@transaction.atomic
def discard(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`DELETE /api/agents/{id}/draft`: 204; the next version begins with what is published."""
    caller.principal.require("agents:write")
    agent = access.agent_of(caller, lock=True)
    check_if_match(request, etag_of(agent))
    versions.store_draft(agent, {})
    return HttpResponse(status=204)


def alter(caller: Caller, agent: Agent, fields: dict[str, Any]) -> None:
    """Give the draft of a locked agent these fields, by their names in the model. Raises
    `forbidden`, `invalid_message`, ValidationError."""
    made = changed(caller, agent, fields)
    versions.store_draft(agent, differing(agent, made))


def changed(caller: Caller, agent: Agent, fields: dict[str, Any]) -> Agent:
    """The agent as its draft with these fields would have it, which is not stored. Raises what
    `alter` raises."""
    now = versions.drafted(agent)
    check_change(caller, now, fields)
    made: Agent = configured(now, fields)
    made.full_clean()
    return made


def differing(agent: Agent, made: Agent) -> dict[str, Any]:
    """The fields of `made` that are not as the agent has them."""
    before = configuration(agent)
    return {name: value for name, value in configuration(made).items() if value != before[name]}


def etag_of(agent: Agent) -> str:
    """Differs whenever the draft or what is published does."""
    row = versions.draft_of(agent)
    edited = f"{row.updated_at:%Y%m%d%H%M%S%f}" if row else "none"
    return f'"{agent.updated_at:%Y%m%d%H%M%S%f}-{edited}"'


def _answer(agent: Agent) -> Answer:
    row, made = versions.draft_of(agent), versions.drafted(agent)
    names = sorted(differing(agent, made))
    answer = Answer(
        Draft(
            agent_id=agent.id,
            version=agent.version,
            changed=[JSON_NAMES[name] for name in names],
            updated_at=row.updated_at if row and names else None,
            configuration=wire.Configuration(**configuration(made)),
        )
    )
    answer["ETag"] = etag_of(agent)
    return answer


JSON_NAMES = {field.name: field.encode_name for field in msgspec.structs.fields(wire.Configuration)}
"""The names of the fields in JSON, by those in the model."""
