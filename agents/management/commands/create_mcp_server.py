"""`manage.py create_mcp_server --org NAME --name N (--url URL | --stdio ENTRY) [--json]`"""

from django.core.management.base import CommandParser

from accounts.access import organization_of_operator
from agents.outbound.access import ensure_mcp_server
from core.commands import Result, ResultCommand


class Command(ResultCommand):
    """Make an MCP server, or bring the organisation's server of that name up to the options."""

    help = "Make an MCP server, whose tools the agents of an organisation may have."

    def add_arguments(self, parser: CommandParser) -> None:
        """The organisation, a name, and where the server is."""
        super().add_arguments(parser)
        parser.add_argument("--org", required=True, metavar="NAME", help="the organisation")
        parser.add_argument("--name", required=True, help="for people, and for its tools' names")
        place = parser.add_mutually_exclusive_group(required=True)
        place.add_argument("--url", default="", help="its address (streamable HTTP)")
        place.add_argument(
            "--stdio", default="", metavar="ENTRY", help="an entry of the list CLAW_MCP_STDIO"
        )

    def result(self, *, org: str, name: str, url: str, stdio: str, **options: object) -> Result:
        """`{mcpServerId}`"""
        organization = organization_of_operator(org)
        server = ensure_mcp_server(organization, name, url=url, stdio=stdio)
        return Result({"mcpServerId": server.id}, f"MCP server {server.name}: {server.id}")
