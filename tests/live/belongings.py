"""What an organisation may have, so that every address of the API has something to name."""

import json
from dataclasses import dataclass

from tests.live.clients import Rest
from tests.live.server import Server

SCOPES = (
    *("chat", "conversations:read", "conversations:write", "agents:read", "agents:write"),
    *("keys:write", "usage:read", "admin"),
)
REQUIRED = {
    "/api/chat": {"message": "Hi"},
    "/api/chat/stream": {"message": "Hi"},
    "/api/stream-tickets": {"message": "Hi"},
    "/api/conversations/{conversationId}/messages": {"content": "Hi"},
    "/api/messages/{messageId}/feedback": {"rating": "up"},
}
"""Bodies for the addresses that answer nothing without one."""


@dataclass(frozen=True)
class Belongings:
    """An agent, a key for it, and a conversation with a run; `names` fill in an address."""

    names: dict[str, str]

    def address(self, path: str) -> str:
        """An address of the description, of what this organisation has."""
        return path.format(**self.names)


def master_key(server: Server, name: str) -> str:
    """A key of this organisation, for its first agent, with every scope."""
    options = ("--agent", f"{name}-agent", "--scopes", ",".join(SCOPES), "--json")
    return str(json.loads(server.manage("create_api_key", *options))["apiKey"])


async def make_belongings(rest: Rest) -> Belongings:
    """One of each, made over the API."""
    made = await rest.post("/api/agents", {"name": "Helper", "provider": "anthropic"})
    agent = made.json()["id"]
    key = (await rest.post(f"/api/agents/{agent}/keys", {"scopes": ["chat"]})).json()["id"]
    answer = await rest.post("/api/chat", {"message": "Hi", "agentId": agent})
    run, conversation = answer.json()["runId"], answer.json()["conversationId"]
    names = {"agentId": agent, "keyId": key, "runId": run, "conversationId": conversation}
    names["messageId"] = answer.json()["messageId"]
    return Belongings(names)
