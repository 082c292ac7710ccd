"""`manage.py create_api_key (--agent SLUG | --org NAME) [--name N] [--scopes a,b] [...]`"""

from datetime import datetime

from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.access import organization_of_operator
from agents.access import agent_of_operator
from agents.auth.keys import create_key
from agents.validators import DEFAULT_SCOPES
from core.commands import Result, ResultCommand, duration


class Command(ResultCommand):
    """Make a key for one agent, or for all of an organisation. Every call makes another one."""

    help = (
        "Make an API key for one agent, or for every agent of an organisation. It is printed this"
        " once and cannot be shown again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The agent, and what the key may do for how long."""
        super().add_arguments(parser)
        opened = parser.add_mutually_exclusive_group(required=True)
        opened.add_argument("--agent", metavar="SLUG", help="the agent it opens")
        opened.add_argument("--org", metavar="NAME", help="or all agents of this organisation")
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
        agent: str | None,
        org: str | None,
        name: str,
        scopes: list[str] | None,
        expires: datetime | None,
        **options: object,
    ) -> Result:
        """`{keyId, apiKey}`"""
        agents = [agent_of_operator(agent)] if agent else []
        owner = agents[0].organization if agents else organization_of_operator(org or "")
        key, token = create_key(owner, name=name, agents=agents, scopes=scopes, expires_at=expires)
        text = f"Key {key.id} for {agent or owner}, shown this once:\n{token}"
        return Result({"keyId": key.id, "apiKey": token}, text)


def expiry(text: str) -> datetime:
    """The moment that lies a duration such as `30d` from now."""
    return timezone.now() + duration(text)
