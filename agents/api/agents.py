"""`/api/agents`: the agents that a key opens."""

from typing import Any

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from accounts.access import owns_secret
from accounts.http import Answer, check_if_match, newest, page_of, read, unchanged
from agents import access, changes
from agents.caller import Caller
from agents.models import Agent
from engine.errors import invalid
from wire import management
from wire.parse import check_storable

JSON_NAMES = {
    field.name: field.encode_name for field in msgspec.structs.fields(management.AgentFields)
}
SHOWN = [field.name for field in msgspec.structs.fields(management.Agent)]
_fields = msgspec.json.Decoder(management.AgentFields)


def index(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`GET /api/agents`: the newest first."""
    caller.require("agents:read")
    rows, cursor = newest(access.opened_by(caller), page_of(request))
    return Answer(management.AgentPage(agents=list(map(_shown, rows)), next_cursor=cursor))


def create(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/agents`: 201; the key that makes an agent opens it."""
    caller.require("agents:write")
    fields = _given(request)
    if "name" not in fields:
        raise invalid("name", "An agent has a name.")
    _check_credential(caller, None, fields)
    agent = access.create_agent(caller, fields)
    changes.announce(caller.organization_id)
    return _answer(agent, 201)


def show(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`GET /api/agents/{id}`: with an `ETag`; 304 if the client has this version."""
    caller.require("agents:read")
    agent = access.agent_of(caller)
    if unchanged(request, etag := _etag(agent)):
        return HttpResponse(status=304, headers={"ETag": etag})
    return _answer(agent)


@transaction.atomic
def change(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`PATCH /api/agents/{id}`: what the body names; with `If-Match` only if nobody was faster."""
    caller.require("agents:write")
    agent = access.agent_of(caller, lock=True)
    check_if_match(request, _etag(agent))
    fields = _given(request)
    _check_credential(caller, agent, fields)
    for name, value in fields.items():
        setattr(agent, name, value)
    agent.full_clean()
    agent.save(update_fields=[*fields, "updated_at"])
    changes.announce(caller.organization_id)
    return _answer(agent)


@transaction.atomic
def removable(request: HttpRequest, caller: Caller) -> Agent:
    """The agent that is to be deleted, if the caller may and nobody was faster (`If-Match`)."""
    caller.require("agents:write")
    agent = access.agent_of(caller, lock=True)
    check_if_match(request, _etag(agent))
    return agent


@transaction.atomic
def remove(request: HttpRequest, caller: Caller) -> None:
    """`DELETE /api/agents/{id}`, as far as rows go: with all that was said to the agent."""
    removable(request, caller).delete()
    changes.announce(caller.organization_id)


def _given(request: HttpRequest) -> dict[str, Any]:
    fields = read(_fields, request).given()
    for name, value in fields.items():
        check_storable(JSON_NAMES[name], value)
    return fields


def _check_credential(caller: Caller, agent: Agent | None, fields: dict[str, Any]) -> None:
    """Where the organisation's own provider key is sent is for the scope `admin` to say."""
    credential = fields.get("credential_id", agent.credential_id if agent else None)
    if credential is None or not {"credential_id", "base_url"} & fields.keys():
        return
    caller.require("admin")
    if not owns_secret(caller.organization_id, credential):
        raise invalid("credentialId", "This organisation has no such secret.")


def _answer(agent: Agent, status: int = 200) -> Answer:
    answer = Answer(_shown(agent), status)
    answer["ETag"] = _etag(agent)
    return answer


def _shown(agent: Agent) -> management.Agent:
    return management.Agent(**{name: getattr(agent, name) for name in SHOWN})


def _etag(agent: Agent) -> str:
    """A strong one (RFC 9110, 8.8.3): every change of the row moves `updated_at`."""
    return f'"{agent.updated_at:%Y%m%d%H%M%S%f}"'
