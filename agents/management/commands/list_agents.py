"""`manage.py list_agents [--org NAME] [--json]`"""

from django.core.management.base import CommandParser

from agents.access import agents_of_operator
from core.commands import Result, ResultCommand
from core.http import utc


class Command(ResultCommand):
    """Show the agents."""

    help = "Show the agents of this installation, or of one organisation, the oldest first."

    def add_arguments(self, parser: CommandParser) -> None:
        """--org."""
        super().add_arguments(parser)
        parser.add_argument("--org", metavar="NAME", help="only of this organisation")

    def result(self, *, org: str | None, **options: object) -> Result:
        """`{agents: [{agentId, slug, name, org, provider, model, createdAt}]}`"""
        rows = agents_of_operator(org)
        agents = [
            {
                "agentId": row.id,
                "slug": row.slug,
                "name": row.name,
                "org": row.organization.name,
                "provider": row.provider,
                "model": row.model,
                "createdAt": utc(row.created_at),
            }
            for row in rows
        ]
        lines = [
            f"{row.id}  {row.slug} of {row.organization}: {row.provider} {row.model}".rstrip()
            for row in rows
        ]
        return Result({"agents": agents}, "\n".join(lines) or "There are no agents.")
