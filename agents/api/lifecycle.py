"""`/api/agents/{id}/duplicate`, `archive` and `restore`."""

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from agents import access
from agents.api.agents import answer_of, make
from agents.caller import Caller
from agents.models import Agent
from agents.versions.models import configuration
from core.http import Answer, read
from wire.objects import management
from wire.parse import check_storable

KEPT = (
    *("show_thinking", "show_tools", "show_usage", "if_busy", "on_disconnect", "on_crash"),
    *("visitor_messages_per_minute", "visitor_messages_per_day"),
)
"""The fields of a copy beside the configuration. Only its maker may ask it at first: it has no
page, no origins and no keys."""
NAME_LENGTH = 150
_copy = msgspec.json.Decoder(management.Copy)


def duplicate(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/agents/{id}/duplicate`: 201, the copy."""
    caller.principal.require("agents:write")
    agent = access.agent_of(caller)
    body = read(_copy, request)
    name = None if body.name is msgspec.UNSET else body.name
    check_storable("name", name)
    return answer_of(copy(caller, agent, name, body.slug), 201)


@transaction.atomic
def archive(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`POST /api/agents/{id}/archive`: new messages are refused; what was said stays."""
    caller.principal.require("agents:write")
    agent = access.agent_of(caller, lock=True)
    shelve(agent, archived=True)
    return answer_of(agent)


@transaction.atomic
def restore(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`POST /api/agents/{id}/restore`: it answers as it did."""
    caller.principal.require("agents:write")
    agent = access.agent_of(caller, lock=True)
    shelve(agent, archived=False)
    return answer_of(agent)


def copy(caller: Caller, agent: Agent, name: str | None = None, slug: str = "") -> Agent:
    """A copy of what is published of an agent, without its documents and conversations. Raises what
    `agents.api.agents.make` raises, so `forbidden` where a secret goes with it and the caller may
    not direct one."""
    fields = configuration(agent) | {field: getattr(agent, field) for field in KEPT}
    fields["name"] = name or f"{agent.name[: NAME_LENGTH - 7]} (copy)"
    if slug:
        fields["slug"] = slug
    return make(caller, fields)


def shelve(agent: Agent, *, archived: bool) -> None:
    """Archive a locked agent, or bring it back; a second time changes nothing."""
    if archived == (agent.archived_at is None):
        agent.archived_at = timezone.now() if archived else None
        agent.save(update_fields=["archived_at", "updated_at"])
