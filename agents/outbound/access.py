"""The only way to the rows of MCP servers: every function says whose they are."""

from django.db.models import QuerySet

from accounts.models import Organization
from agents.caller import Caller
from agents.models import Agent, McpServer
from engine.errors import ClawError


def mcp_server_of_organization(organization_id: str, server_id: str) -> McpServer | None:
    """One of the organisation's MCP servers."""
    return mcp_servers_of(organization_id).filter(id=server_id).first()


def mcp_servers_of(organization_id: str) -> QuerySet[McpServer]:
    """The organisation's MCP servers."""
    return McpServer.objects.filter(organization=organization_id)


def mcp_server(caller: Caller, server_id: str, *, lock: bool = False) -> McpServer:
    """One of the caller's organisation; `lock` keeps others from changing it until the transaction
    ends. Raises `not_found`."""
    rows = mcp_servers_of(caller.principal.organization_id).filter(id=server_id)
    found = (rows.select_for_update() if lock else rows).first()
    if found is None:
        raise ClawError("not_found", "There is no such MCP server.")
    return found


def agents_using(server: McpServer) -> list[str]:
    """The slugs of the agents whose tools name an MCP server."""
    rows = Agent.objects.filter(organization=server.organization_id).exclude(tools=[])
    return [
        slug
        for slug, tools in rows.values_list("slug", "tools")
        if any(tool.get("mcpServer") == server.id for tool in tools)
    ]


def ensure_mcp_server(
    organization: Organization, name: str, *, url: str = "", stdio: str = ""
) -> McpServer:
    """The organisation's MCP server of this name, made if there is none, at this place.

    Raises ValidationError."""
    rows = mcp_servers_of(organization.id).filter(name=name)
    server = rows.first() or McpServer(organization=organization, name=name)
    server.url, server.stdio = url, stdio
    server.full_clean()
    server.save()
    return server
