"""`manage.py create_agent --org NAME --slug S [...] [--json]`"""

from django.core.management.base import CommandParser

from accounts.access import organization_of_operator
from agents.access import ensure_agent
from agents.models import provider_choices
from agents.public.addresses import api_url, ws_url
from core.commands import Result, ResultCommand

FIELDS = ("name", "provider", "model", "instructions", "base_url", "allowed_origins", "tools")


class Command(ResultCommand):
    """Make an agent, or bring the organisation's agent of that slug up to the options given."""

    help = "Make an agent; one that the organisation has already gets the options that are given."

    def add_arguments(self, parser: CommandParser) -> None:
        """Adds the organisation and one option for each field."""
        super().add_arguments(parser)
        parser.add_argument("--org", required=True, metavar="NAME", help="the organisation")
        parser.add_argument("--slug", required=True, help="its place in addresses: a DNS label")
        parser.add_argument("--name", help="for people; default: the slug")
        parser.add_argument("--provider", choices=dict(provider_choices()), help="default: auto")
        parser.add_argument("--model", help="default: the provider's; openai has none")
        parser.add_argument("--system", dest="instructions", metavar="TEXT", help="instructions")
        parser.add_argument(
            "--base-url",
            metavar="URL",
            help="another model server; except with openai it needs a credential of its own",
        )
        parser.add_argument(
            "--origins",
            dest="allowed_origins",
            metavar="a,b",
            type=lambda text: [origin.strip() for origin in text.split(",")],
            help="web pages that may have its chat, such as https://example.com",
        )
        parser.add_argument(
            "--tool",
            dest="tools",
            metavar="NAME",
            action="append",
            type=lambda name: {"builtin": name},
            help="a built-in tool that it may use, such as current_time; again for more",
        )

    def result(self, *, org: str, slug: str, **options: object) -> Result:
        """`{agentId, slug, wsUrl, apiUrl}`"""
        given = {field: options[field] for field in FIELDS if options[field] is not None}
        agent = ensure_agent(organization_of_operator(org), slug, **given)
        data = {
            "agentId": agent.id,
            "slug": agent.slug,
            "wsUrl": ws_url(agent.slug),
            "apiUrl": api_url(agent.slug),
        }
        text = f"Agent {agent.slug}: {agent.id}\n  {data['apiUrl']}\n  {data['wsUrl']}"
        return Result(data, text)
