"""`/api/mcp-servers`: servers whose tools the organisation's agents may have."""

import json
from typing import Any

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from agents.access import require_every_agent
from agents.caller import Caller
from agents.models import McpServer
from agents.outbound import access
from agents.outbound.headers import headers_of, merged
from agents.outbound.mcp import secrets_named
from core.http import Answer, flag, newest, page_of, read
from engine.errors import ClawError
from wire.objects import management
from wire.parse import check_storable

_fields = msgspec.json.Decoder(management.McpServerFields)


def index(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`GET /api/mcp-servers`: the newest first."""
    check_scope(caller, "agents:read")
    mine = access.mcp_servers_of(caller.principal.organization_id)
    rows, cursor = newest(mine, page_of(request))
    shown = list(map(_shown, rows))
    return Answer(management.McpServerPage(mcp_servers=shown, next_cursor=cursor))


def create(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/mcp-servers`: 201."""
    check_scope(caller, "agents:write")
    server = McpServer(organization_id=caller.principal.organization_id)
    return Answer(_shown(_changed(caller, server, request)), 201)


def show(request: HttpRequest, caller: Caller, server_id: str) -> Answer:
    """`GET /api/mcp-servers/{id}`."""
    check_scope(caller, "agents:read")
    return Answer(_shown(access.mcp_server(caller, server_id)))


@transaction.atomic
def change(request: HttpRequest, caller: Caller, server_id: str) -> Answer:
    """`PATCH /api/mcp-servers/{id}`: what the body names; headers are merged by their names."""
    check_scope(caller, "agents:write")
    server = access.mcp_server(caller, server_id, lock=True)
    return Answer(_shown(_changed(caller, server, request)))


@transaction.atomic
def remove(request: HttpRequest, caller: Caller, server_id: str) -> HttpResponse:
    """`DELETE /api/mcp-servers/{id}`: 204; `in_use` while agents name it, unless `?force=1`."""
    check_scope(caller, "agents:write")
    server = access.mcp_server(caller, server_id, lock=True)
    if not flag(request, "force") and (slugs := access.agents_using(server)):
        raise ClawError("in_use", f"Agents use this server: {', '.join(slugs[:10])}.")
    server.delete()
    return HttpResponse(status=204)


def check_scope(caller: Caller, scope: str) -> None:
    """Raise `forbidden` unless the caller has the scope, for every agent."""
    caller.principal.require(scope)
    require_every_agent(caller)


def _changed(caller: Caller, server: McpServer, request: HttpRequest) -> McpServer:
    """The server with what the body names, stored. Raises ValidationError, `invalid_message`,
    `forbidden`."""
    body = read(_fields, request)
    given = {
        name: value
        for name, value in msgspec.structs.asdict(body).items()
        if value is not msgspec.UNSET
    }
    for name, value in given.items():
        check_storable(name, value)
    before = headers_of(server)
    headers = merged(before, given.pop("headers", {}))
    _check_direction(caller, server, given, before, headers)
    for name, value in {**given, "headers": json.dumps(headers)}.items():
        setattr(server, name, value)
    server.full_clean()
    server.save()
    return server


def _check_direction(
    caller: Caller,
    server: McpServer,
    given: dict[str, Any],
    before: dict[str, str],
    headers: dict[str, str],
) -> None:
    """Naming a secret, and saying where stored headers are sent, is for the scope `admin`."""
    moved = any(
        given.get(field, getattr(server, field)) != getattr(server, field)
        for field in ("url", "stdio")
    )
    kept = {name for name, value in before.items() if headers.get(name) == value}
    named = secrets_named("\n".join([given.get("url", server.url), *headers.values()]))
    was_named = secrets_named("\n".join([server.url, *before.values()]))
    sends = (moved and (kept or named)) or named - was_named
    if sends and "admin" not in caller.principal.scopes:
        raise ClawError(
            "forbidden", "To say where a secret is sent, a key needs the scope “admin”."
        )


def _shown(server: McpServer) -> management.McpServer:
    return management.McpServer(
        id=server.id,
        name=server.name,
        headers=dict.fromkeys(headers_of(server)),
        timeout_ms=server.timeout_ms,
        created_at=server.created_at,
        updated_at=server.updated_at,
        url=server.url,
        stdio=server.stdio,
    )
