"""`manage.py create_api_key --agent SLUG [--name N] [--scopes a,b] [--expires 30d] [--json]`"""

from datetime import datetime

from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.commands import Result, ResultCommand, duration
from agents.access import agent_of_operator
from agents.keys import create_key
from agents.validators import DEFAULT_SCOPES


class Command(ResultCommand):
    """Make a key for one agent. Every call makes another one."""

    help = "Make an API key for one agent. It is printed this once and cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        """The agent, and what the key may do for how long."""
        super().add_arguments(parser)
        parser.add_argument("--agent", required=True, metavar="SLUG", help="the agent it opens")
        parser.add_argument("--name", default="command line", help="to recognise it by")
        parser.add_argument(
            "--scopes",
            type=lambda text: [scope.strip() for scope in text.split(",")],
            metavar="a,b",
            help=f"default: {','.join(DEFAULT_SCOPES)}",
        )
        parser.add_argument(
            "--expires", type=expiry, metavar="30d", help="a number and s, m, h, d or w"
        )

    def result(
        self,
        *,
        agent: str,
        name: str,
        scopes: list[str] | None,
        expires: datetime | None,
        **options: object,
    ) -> Result:
        """`{keyId, apiKey}`"""
        opened = agent_of_operator(agent)
        key, token = create_key(
            opened.organization, name=name, agents=[opened], scopes=scopes, expires_at=expires
        )
        text = f"Key {key.id} for {opened.slug}, shown this once:\n{token}"
        return Result({"keyId": key.id, "apiKey": token}, text)


def expiry(text: str) -> datetime:
    """The moment that lies a duration such as `30d` from now."""
    return timezone.now() + duration(text)
