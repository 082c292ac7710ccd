"""`manage.py list_keys [--org NAME] [--json]`"""

from django.core.management.base import CommandParser
from django.utils import timezone

from agents.access import keys_of_operator
from agents.models import ApiKey
from core.commands import Result, ResultCommand
from core.http import utc


class Command(ResultCommand):
    """Show the API keys, by what is kept of them."""

    help = "Show the API keys of this installation, or of one organisation, the oldest first."

    def add_arguments(self, parser: CommandParser) -> None:
        """--org."""
        super().add_arguments(parser)
        parser.add_argument("--org", metavar="NAME", help="only of this organisation")

    def result(self, *, org: str | None, **options: object) -> Result:
        """`{keys: [{keyId, name, prefix, lastFour, org, scopes, everyAgent, agents, state,
        expiresAt, lastUsedAt, createdAt}]}`"""
        rows = keys_of_operator(org)
        lines = [f"{row.id}  {row} of {row.organization}: {_state(row)}" for row in rows]
        keys = list(map(_shown, rows))
        return Result({"keys": keys}, "\n".join(lines) or "There are no keys.")


def _state(row: ApiKey) -> str:
    if row.revoked_at:
        return "revoked"
    return "expired" if row.expires_at and row.expires_at <= timezone.now() else "active"


def _shown(row: ApiKey) -> dict[str, object]:
    return {
        "keyId": row.id,
        "name": row.name,
        "prefix": row.prefix,
        "lastFour": row.last_four,
        "org": row.organization.name,
        "scopes": row.scopes,
        "everyAgent": row.every_agent,
        "agents": [agent.slug for agent in row.agents.all()],
        "state": _state(row),
        "expiresAt": row.expires_at and utc(row.expires_at),
        "lastUsedAt": row.last_used_at and utc(row.last_used_at),
        "createdAt": utc(row.created_at),
    }
