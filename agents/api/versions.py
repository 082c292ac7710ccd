"""`/api/agents/{id}/versions`: what an agent was, is, and may become."""

from typing import Any, Literal

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from agents import access
from agents.api import drafts
from agents.api.agents import check_change, check_storable_fields
from agents.caller import Caller
from agents.models import Agent, AgentVersion
from agents.versions import access as rows
from agents.versions.models import add_version, configuration
from auditing.recording import record
from core.http import Answer, check_if_match, newest, page_of, read
from engine.errors import ClawError, invalid
from wire.objects import configuration as wire
from wire.objects import versions as objects
from wire.parse import check_storable

_new = msgspec.json.Decoder(objects.NewVersion)
_publication = msgspec.json.Decoder(objects.Publication)
_rollback = msgspec.json.Decoder(objects.Rollback)


def index(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`GET /api/agents/{id}/versions`: the newest first, without their configurations."""
    caller.principal.require("agents:read")
    agent = access.agent_of(caller)
    found, cursor = newest(rows.versions_of(agent), page_of(request), by="number")
    shown = [_shown(agent, row) for row in found]
    return Answer(objects.AgentVersionPage(versions=shown, next_cursor=cursor))


@transaction.atomic
def create(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`POST /api/agents/{id}/versions`: 201; the draft, with what the body changes, as a version
    that is not published. The draft stays."""
    caller.principal.require("agents:write")
    agent = access.agent_of(caller, lock=True)
    body = read(_new, request)
    fields = check_storable_fields(body)
    note = fields.pop("note")
    made = drafts.changed(caller, agent, fields)
    row = add_version(agent, configuration(made), note=note)
    _tell(agent, "agent.version_created", None, row)
    return Answer(_shown(agent, row, whole=True), 201)


def show(request: HttpRequest, caller: Caller, version: str) -> HttpResponse:
    """`GET /api/agents/{id}/versions/{version}`: with its configuration."""
    caller.principal.require("agents:read")
    agent = access.agent_of(caller)
    return Answer(_shown(agent, rows.version_of(agent, _number(version)), whole=True))


def difference(request: HttpRequest, caller: Caller, version: str) -> HttpResponse:
    """`GET /api/agents/{id}/versions/{version}/diff?against=`: what is different in this version,
    or the `draft`, than in another, or the one that is published."""
    caller.principal.require("agents:read")
    agent = access.agent_of(caller)
    before = _which(request.GET.get("against", str(agent.version)))
    after = _which(version)
    changes = compare(at(agent, before), at(agent, after))
    return Answer(objects.Difference(before=before, after=after, changes=changes))


@transaction.atomic
def publish(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`POST /api/agents/{id}/publish`: a version, or the draft as a new one. With `If-Match` only
    if the draft still is what the client knows."""
    caller.principal.require("agents:write")
    agent = access.agent_of(caller, lock=True)
    check_if_match(request, drafts.etag_of(agent))
    body = read(_publication, request)
    if body.version is msgspec.UNSET:
        row = publish_draft(caller, agent, body.note)
    else:
        row = rows.version_of(agent, body.version)
        put(caller, agent, row, "agent.published")
    return Answer(_shown(agent, row, whole=True))


@transaction.atomic
def rollback(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`POST /api/agents/{id}/rollback`: publishes a version again that was published before."""
    caller.principal.require("agents:write")
    agent = access.agent_of(caller, lock=True)
    row = rows.version_of(agent, read(_rollback, request).version)
    return Answer(_shown(agent, roll_back(caller, agent, row), whole=True))


def publish_draft(caller: Caller, agent: Agent, note: str) -> AgentVersion:
    """Publish the draft of a locked agent as a new version, or the newest one if that is the same.
    Without changes the newest version is published, if it is not. Raises what `put` raises."""
    check_storable("note", note)
    wanted, last = configuration(drafts.changed(caller, agent, {})), rows.newest_version(agent)
    if last is None or (wanted != configuration(agent) and wanted != last.configuration):
        last = add_version(agent, wanted, note=note)
    put(caller, agent, last, "agent.published")
    rows.store_draft(agent, {})
    return last


def roll_back(caller: Caller, agent: Agent, row: AgentVersion) -> AgentVersion:
    """Publish a version of a locked agent again. Raises `invalid_message` for one that never was
    published, and what `put` raises."""
    if row.published_at is None:
        raise invalid("version", "This version was never published: publish it.")
    put(caller, agent, row, "agent.rolled_back")
    return row


def put(caller: Caller, agent: Agent, row: AgentVersion, action: str) -> None:
    """Give a locked agent the configuration of a version. Nothing happens if it has that already.

    Raises `forbidden` where the caller may not change a field so, ValidationError where it cannot
    be so any more: a tool or a secret is gone."""
    if agent.version == row.number:
        return
    before = rows.version_of(agent, agent.version) if agent.version else None
    changes = {
        name: value
        for name, value in row.configuration.items()
        if value != configuration(agent).get(name)
    }
    check_change(caller, agent, changes)
    for name, value in changes.items():
        setattr(agent, name, value)
    agent.version = row.number
    agent.full_clean()
    row.published_at = timezone.now()
    row.save(update_fields=["published_at"])
    agent.save(update_fields=[*changes, "version", "updated_at"])
    _tell(agent, action, before, row)


def at(agent: Agent, which: int | Literal["draft"]) -> dict[str, Any]:
    """The configuration of a version of the agent, or of its draft. Raises `not_found`."""
    if which == "draft":
        return configuration(rows.drafted(agent))
    return dict(rows.version_of(agent, which).configuration)


def compare(before: dict[str, Any], after: dict[str, Any]) -> list[objects.Change]:
    """The fields that differ, in the order of the API."""
    return [
        objects.Change(field=json_name, before=before.get(name), after=after.get(name))
        for name, json_name in drafts.JSON_NAMES.items()
        if before.get(name) != after.get(name)
    ]


def _number(text: str) -> int:
    """The number in an address. Raises `not_found`."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise ClawError("not_found", "There is no such version.")
    return int(text)


def _which(text: str) -> int | Literal["draft"]:
    return "draft" if text == "draft" else _number(text)


def _tell(agent: Agent, action: str, before: AgentVersion | None, row: AgentVersion) -> None:
    record(
        agent.organization_id,
        action,
        subject_id=agent.id,
        subject_name=agent.slug,
        before={"version": before.number} if before else None,
        after={"version": row.number, "note": row.note},
    )


def _shown(agent: Agent, row: AgentVersion, *, whole: bool = False) -> objects.AgentVersion:
    kept = wire.Configuration(**row.configuration) if whole else msgspec.UNSET
    return objects.AgentVersion(
        agent_id=agent.id,
        version=row.number,
        note=row.note,
        author=objects.Author(kind=row.author_kind, id=row.author_id, name=row.author_name),
        published=row.number == agent.version,
        published_at=row.published_at,
        created_at=row.created_at,
        configuration=kept,
    )
