"""Somebody on a web page: the session, and the doors as a browser on that page would use them."""

import json
from typing import Any, Self

import httpx

from tests.live.clients import TIMEOUT, Event, Rest, WebSocket
from tests.live.described import check_answer
from tests.live.server import Server

SHOP = "https://shop.example"


class Visitor:
    """Who has a session, on a page of `origin`."""

    def __init__(self, server: Server, slug: str, token: str, origin: str) -> None:
        self.token, self.headers = token, {"Origin": origin}
        self.url = f"{server.url}/a/{slug}"
        self.ws_url = f"{self.url}/api/ws".replace("http", "ws", 1)
        self.rest = Rest(server.url, token, **self.headers)
        self.id, self.agent = "", {}

    @classmethod
    def of(cls, server: Server, session: Event, origin: str = SHOP) -> Self:
        """The visitor of this answer to `POST /api/visitor-sessions`."""
        visitor = cls(server, session["agent"]["slug"], session["token"], origin)
        visitor.id, visitor.agent = session["visitorId"], session["agent"]
        return visitor

    async def __aenter__(self) -> Self:
        await self.rest.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.rest.__aexit__(*error)

    async def socket(self) -> WebSocket:
        """A socket of this visitor's, authenticated."""
        return await WebSocket.open(self.ws_url, self.token, additional_headers=self.headers)


async def visit(
    server: Server, slug: str, origin: str = SHOP, *, host: str = "", **body: Any
) -> Visitor:
    """Come to the page: the first thing that it does is to ask for a session, here or at `host`."""
    headers = {"Origin": origin} | ({"Host": host} if host else {})
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        answer = await client.post(f"/a/{slug}/api/visitor-sessions", json=body, headers=headers)
    assert check_answer(answer).status_code == 201, answer.text
    return Visitor.of(server, answer.json(), origin)


def open_to_visitors(server: Server, slug: str, **fields: Any) -> None:
    """Change an agent, as its organisation would: over the API, which the server knows at once."""
    made = server.manage("create_api_key", "--agent", slug, "--scopes", "agents:write", "--json")
    answer = httpx.patch(
        f"{server.url}/api/agents/{slug}",
        json=fields,
        headers={"Authorization": f"Bearer {json.loads(made)['apiKey']}"},
        timeout=TIMEOUT,
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text


def identity_secret(server: Server, slug: str) -> str:
    """A new identity secret of this agent."""
    make = (
        "from agents.auth import identity\nfrom agents.models import Agent\n"
        f"print(identity.new_secret(Agent.objects.get(slug={slug!r})))"
    )
    return server.manage("shell", "-v0", "-c", make).strip()
