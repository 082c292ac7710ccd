"""`/api/agents`: the agents that a key opens."""

from typing import Any

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from accounts.access import owns_secret
from agents import access
from agents.caller import Caller
from agents.models import Agent
from core.http import Answer, check_if_match, flag, newest, page_of, read, unchanged
from engine.errors import ClawError, invalid
from wire.objects import management
from wire.objects.configuration import Configuration
from wire.parse import check_storable

JSON_NAMES = {
    field.name: field.encode_name for field in msgspec.structs.fields(management.AgentFields)
}
SHOWN = [field.name for field in msgspec.structs.fields(management.Agent)]
DIRECTING = ("provider", "base_url", "credential_id")
"""The fields that decide which secret a model call carries, and where it goes."""
_fields = msgspec.json.Decoder(management.AgentFields)


def index(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`GET /api/agents`: the newest first; where the request names an agent, only that one, since
    a request may name no other beside it."""
    caller.principal.require("agents:read")
    listed = access.agents_listed(caller, archived=flag(request, "archived"))
    rows, cursor = newest(listed, page_of(request))
    return Answer(management.AgentPage(agents=list(map(_shown, rows)), next_cursor=cursor))


def create(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/agents`: 201; the key that makes an agent opens it."""
    caller.principal.require("agents:write")
    fields = _given(request)
    if "name" not in fields:
        raise invalid("name", "An agent has a name.")
    return answer_of(make(caller, fields), 201)


def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`GET /api/agents/{id}`: with an `ETag`; 304 if the client has this version."""
    caller.principal.require("agents:read")
    agent = access.agent_of(caller)
    if unchanged(request, etag := _etag(agent)):
        return HttpResponse(status=304, headers={"ETag": etag})
    return answer_of(agent)


@transaction.atomic
def change(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`PATCH /api/agents/{id}`: what the body names; with `If-Match` only if nobody was faster."""
    caller.principal.require("agents:write")
    agent = access.agent_of(caller, lock=True)
    check_if_match(request, _etag(agent))
    alter(caller, agent, _given(request))
    return answer_of(agent)


@transaction.atomic
def hide(request: HttpRequest, caller: Caller) -> None:
    """The first step of `DELETE /api/agents/{id}`: from then on nobody finds the agent. With
    `If-Match` only if nobody was faster: a change that comes later finds no agent."""
    caller.principal.require("agents:write")
    agent = access.agent_of(caller, lock=True)
    check_if_match(request, _etag(agent))
    access.hide_agent(agent)


def make(caller: Caller, fields: dict[str, Any]) -> Agent:
    """A new agent with these fields, by their names in the model. Raises what `alter` raises."""
    check_change(caller, None, fields)
    return access.create_agent(caller, fields)


def alter(caller: Caller, agent: Agent, fields: dict[str, Any]) -> None:
    """Give a locked agent these fields, by their names in the model. Raises `forbidden`,
    `invalid_message`, ValidationError."""
    check_change(caller, agent, fields)
    for name, value in fields.items():
        setattr(agent, name, value)
    agent.full_clean()
    agent.save(update_fields=[*fields, "updated_at"])


def check_change(caller: Caller, agent: Agent | None, fields: dict[str, Any]) -> None:
    """Raise `forbidden` or `invalid_message` if the caller may not give the agent, or a new one,
    these fields. What they may hold is said by the model."""
    _check_direction(caller, agent, fields)
    _check_asked(caller, agent, fields)


def check_storable_fields(body: Configuration) -> dict[str, Any]:
    """The fields that a request has, of plain types. Raises `invalid_message`."""
    fields = body.given()
    names = {field.name: field.encode_name for field in msgspec.structs.fields(body)}
    for name, value in fields.items():
        check_storable(names[name], value)
    return fields


def _given(request: HttpRequest) -> dict[str, Any]:
    return check_storable_fields(read(_fields, request))


def _check_direction(caller: Caller, agent: Agent | None, fields: dict[str, Any]) -> None:
    """Raises `forbidden` if the caller may not change the direction of provider keys: the scope
    `admin` decides where a key is sent, and whose. This includes taking one away, and an agent
    without one: a later one would go to the address that stands there.

    An agent with neither address nor credential of its own uses the operator's, which belong
    together for each provider: such an agent may change `provider` freely."""
    before = agent or Agent()
    changed = {
        name for name in DIRECTING if name in fields and fields[name] != getattr(before, name)
    }
    if changed == {"provider"} and not (before.base_url or before.credential_id):
        return
    if "base_url" in changed:  # a malformed value is reported before a missing scope
        others = {field.name for field in Agent._meta.fields} - {"base_url"}
        Agent(base_url=fields["base_url"]).clean_fields(exclude=others)
    if changed and "admin" not in caller.principal.scopes:
        field = JSON_NAMES[min(changed)]
        raise ClawError(
            "forbidden",
            f"The field {field} needs the scope “admin”: it directs a provider key.",
            details={"field": field},
        )
    credential = fields.get("credential_id")
    if credential is not None and not owns_secret(caller.principal.organization_id, credential):
        raise invalid("credentialId", "This organisation has no such secret.")


def _check_asked(caller: Caller, agent: Agent | None, fields: dict[str, Any]) -> None:
    """Raises `invalid_message` if the caller gives an agent another one as a tool that the caller
    may not ask itself. Those that the agent has already may stay."""
    before = agents_named(agent.tools if agent else [])
    added = agents_named(fields.get("tools", [])) - before
    if added - access.slugs_opened(caller, added):
        raise invalid("tools", f"There is no agent “{min(added)}”.")


def agents_named(tools: Any) -> set[str]:
    """The slugs of the agents that are tools; what is malformed is left to the model."""
    entries = tools if isinstance(tools, list) else []
    named = (entry.get("agent") for entry in entries if isinstance(entry, dict))
    return {slug for slug in named if isinstance(slug, str)}


def answer_of(agent: Agent, status: int = 200) -> Answer:
    """The agent as the API shows it, with its `ETag`."""
    answer = Answer(_shown(agent), status)
    answer["ETag"] = _etag(agent)
    return answer


def _shown(agent: Agent) -> management.Agent:
    return management.Agent(**{name: getattr(agent, name) for name in SHOWN})


def _etag(agent: Agent) -> str:
    """A strong one (RFC 9110, 8.8.3): every change of the row moves `updated_at`."""
    return f'"{agent.updated_at:%Y%m%d%H%M%S%f}"'
