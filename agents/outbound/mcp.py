"""The address of an MCP server and its headers: looked up for each connection.

A header or an address may name the organisation's secrets as `${secrets.NAME}`. A program is one of
the operator's list: nobody else can name a command."""

import re
from collections.abc import Callable
from functools import partial
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

from accounts.access import secret_values
from agents.models import McpServer
from agents.outbound import access
from agents.outbound.headers import HEADER_VALUE, headers_of
from agents.outbound.programs import programs
from core.database import database_step
from engine.tools.mcp.base import Command, Endpoint, ServerFailed
from engine.tools.mcp.server import Find

SECRET = re.compile(r"\$\{secrets\.([A-Za-z0-9_.-]{1,100})\}")


def secrets_named(text: str) -> set[str]:
    """The names of the secrets that a header or an address names."""
    return set(SECRET.findall(text))


def endpoint_finder(organization_id: str, server_id: str) -> Find:
    """Looks up the endpoint of one of the organisation's servers, each time that it is called."""
    return partial(database_step, mcp_endpoint, organization_id, server_id)


def mcp_endpoint(organization_id: str, server_id: str) -> Endpoint:
    """The endpoint of one of the organisation's servers, with the secrets that it has now.

    Raises `ServerFailed`."""
    server = access.mcp_server_of_organization(organization_id, server_id)
    if server is None:
        raise ServerFailed("This MCP server is not there any more.")
    headers = headers_of(server)
    named = secrets_named("\n".join([server.url, *headers.values()]))
    values = secret_values(organization_id, named)
    if missing := sorted(named - values.keys()):
        raise ServerFailed(f"The server “{server.name}” needs the secret “{missing[0]}”.")
    return Endpoint(
        name=server.name,
        at=_with(server.url, values, lambda value: quote(value, safe=""))
        if server.url
        else _program(server),
        headers=tuple(
            (name, _sendable(name, _with(text, values))) for name, text in headers.items()
        ),
        timeout=server.timeout_ms / 1000,
    )


def _with(text: str, values: dict[str, str], written: Callable[[str], str] = str) -> str:
    return SECRET.sub(lambda match: written(values[match[1]]), text)


def _sendable(name: str, value: str) -> str:
    """The value without white space around it. Raises `ServerFailed` for one that no header
    takes."""
    value = value.strip()
    if not HEADER_VALUE.fullmatch(value):
        raise ServerFailed(f"The value of the header “{name}” cannot be sent.")
    return value


def _program(server: McpServer) -> Command:
    try:
        program = programs().get(server.stdio)
    except ImproperlyConfigured:
        program = None
    if program is None:
        raise ServerFailed(f"The operator offers no program “{server.stdio}”.")
    return program.command_line()
