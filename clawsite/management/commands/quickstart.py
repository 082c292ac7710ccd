"""`manage.py quickstart [--new-key] [--public-page] [--json]`"""

import secrets
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from accounts.access import ensure_member, ensure_organization
from accounts.models import Organization
from agents.access import ensure_agent, newest_key
from agents.auth.keys import create_key
from agents.models import Agent
from agents.public.addresses import api_url, is_local, page_url, site_url, ws_url
from clawsite.management.demo_agent import DOCUMENT, FIELDS, TITLE
from core.commands import Result, ResultCommand
from knowledge.access import store_document

ORGANIZATION = "Demo"
OWNER = "owner@localhost"
SLUG = "my-agent"
KEY_NAME = "quickstart"
# Something to look at, and the widget on pages that are being developed: on this machine only, for
# the operator pays for what visitors ask.
LOCAL = {"public_page": True, "allowed_origins": ["http://localhost:*", "http://127.0.0.1:*"]}

MANAGE = ".venv/bin/python manage.py"


class Command(ResultCommand):
    """A demo organisation with an owner, an agent and a key, ready to be talked to."""

    help = "Make a demo organisation, owner, agent and API key, and say how to talk to the agent."

    def add_arguments(self, parser: CommandParser) -> None:
        """Adds the few choices; all else is fixed."""
        super().add_arguments(parser)
        parser.add_argument("--new-key", action="store_true", help="make another API key")
        parser.add_argument(
            "--public-page",
            action="store_true",
            help="give the agent a chat page for everybody (on this machine it has one anyway)",
        )

    @transaction.atomic
    def result(self, *, new_key: bool, public_page: bool, **options: object) -> Result:
        """`{orgId, agentId, slug, apiUrl, wsUrl, consoleUrl, pageUrl?, apiKey?, apiKeyPrefix,
        login?, password?}`: secrets only when they are made."""
        organization = ensure_organization(ORGANIZATION)
        new = not organization.agents.filter(slug=SLUG).exists()
        agent = ensure_agent(organization, SLUG, **_fields(new=new, public_page=public_page))
        if new:
            store_document(agent, title=TITLE, kind="markdown", content=DOCUMENT.encode())
        data = {
            "orgId": organization.id,
            "agentId": agent.id,
            "slug": agent.slug,
            "apiUrl": api_url(agent.slug),
            "wsUrl": ws_url(agent.slug),
            "consoleUrl": f"{site_url()}/console/",
            **({"pageUrl": page_url(agent.slug)} if agent.public_page else {}),
            **_key(agent, new=new_key),
            **_login(organization),
        }
        return Result(data, _text(data))


def _fields(*, new: bool, public_page: bool) -> dict[str, Any]:
    """The fields of the new agent. They are set only once, so an operator's changes stay."""
    made = FIELDS | (LOCAL if is_local() else {}) if new else {}
    return made | ({"public_page": True} if public_page else {})


def _key(agent: Agent, *, new: bool) -> dict[str, str]:
    key = newest_key(agent, KEY_NAME)
    if key and not new:
        return {"apiKeyPrefix": key.prefix}
    key, token = create_key(agent.organization, name=KEY_NAME, agents=[agent])
    return {"apiKey": token, "apiKeyPrefix": key.prefix}


def _login(organization: Organization) -> dict[str, str]:
    """The owner's login, when it is made: the operator of this installation, so with admin."""
    owner = ensure_member(organization, OWNER)
    if owner.has_usable_password():
        return {}
    password = secrets.token_urlsafe(12)
    owner.set_password(password)
    owner.is_staff = owner.is_superuser = True
    owner.save()
    return {"login": owner.email, "password": password}


def _text(data: dict[str, Any]) -> str:
    lines = [f"Console    {data['consoleUrl']}"]
    if "password" in data:
        lines += [
            f"Login      {data['login']}",
            f"Password   {data['password']}  (shown this once)",
        ]
    else:
        lines.append(f"Login      {OWNER}  (new password: {MANAGE} changepassword {OWNER})")
    page = data.get("pageUrl", f"none  (open to everybody: {MANAGE} quickstart --public-page)")
    lines += [f"Chat page  {page}"]
    lines += [f"Agent      {data['apiUrl']}", f"WebSocket  {data['wsUrl']}"]
    if "apiKey" in data:
        lines.append(f"API key    {data['apiKey']}  (shown this once)")
    else:
        lines.append(
            f"API key    {data['apiKeyPrefix']}…  (another: {MANAGE} quickstart --new-key)"
        )
    key = data.get("apiKey", "YOUR_API_KEY")
    return "\n".join(
        [
            *lines,
            "",
            "Talk to it:",
            f'  curl -N -H "Authorization: Bearer {key}" '
            f'"{data["apiUrl"]}/chat/stream?message=Hello"',
            "",
            "Over a WebSocket, in a browser's console or Node 22:",
            f'  ws = new WebSocket("{data["wsUrl"]}");',
            "  ws.onmessage = (event) => console.log(event.data);",
            f'  ws.onopen = () => {{ ws.send(JSON.stringify({{type: "auth", token: "{key}"}}));',
            '    ws.send(JSON.stringify({type: "message", content: "Hello"})); };',
            "",
            "Or with Python alone; paste the two lines when it is connected:",
            f"  .venv/bin/python -m websockets {data['wsUrl']}",
            f'  {{"type": "auth", "token": "{key}"}}',
            '  {"type": "message", "content": "Hello"}',
        ]
    )
