"""What an organisation may have, so that every address of the API has something to name.

Has a new address of the API a `{newId}`? Add a line to `MADE`."""

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from agents.validators import SCOPES
from tests.live.clients import Rest
from tests.live.server import Server
from tests.live.visiting import SHOP

PIPELINE = {
    "name": "Ours",
    "source": {"type": "webhook"},
    "destination": {"type": "database", "config": {"table": "t{unique}"}},
}
REQUIRED = {
    "/api/chat": {"message": "Hi"},
    "/api/chat/stream": {"message": "Hi"},
    "/api/stream-tickets": {"message": "Hi"},
    "/api/conversations/{conversationId}/messages": {"content": "Hi"},
    "/api/messages/{messageId}/feedback": {"rating": "up"},
    "/api/conversations/{conversationId}/transcript": {"email": "ada@example.com"},
    "/api/contact-messages": {"email": "ada@example.com", "message": "Hi"},
    "/api/conversations/{conversationId}/rating": {"rating": 5},
    "/api/runs/{runId}/approvals/{approvalId}": {"approve": True, "argsDigest": "-"},
    "/api/runs/{runId}/answers": {"id": "-", "text": "Hi"},
    "/api/runs/{runId}/tool-results": {"id": "-", "result": 1},
    "/api/agents/{agentId}/rollback": {"version": 1},
    "/api/agents/{agentId}/documents": {"title": "Ours", "text": "Ours."},
    "/api/members/{memberId}": {"role": "viewer"},
    "/api/budgets": {"scope": "organization", "tokens": 10**9},
    "/api/webhooks": {"url": "https://example.com/hook", "events": ["run:completed"]},
    "/api/alert-rules": {"name": "Ours", "metric": "cost", "threshold": 5},
    "/api/invitations": {"email": "ada@example.com"},
    "/api/organization": {"name": "Ours"},
    "/api/streaming/pipelines": PIPELINE,
    "/api/streaming/pipelines/{pipelineId}/process": {"item": {}},
    "/api/streaming/pipelines/{pipelineId}/batch": {"items": [{}]},
    "/api/streaming/pipelines/{pipelineId}/test": {"items": [{}]},
    "/api/streaming/pipelines/{pipelineId}/restore": {"checkpointId": "-"},
    "/api/ag-ui": {
        "threadId": "ours",
        "runId": "ours",
        "messages": [{"role": "user", "content": "Hi"}],
    },
    "/api/ai-sdk/chat": {
        "id": "ours",
        "message": {"role": "user", "parts": [{"type": "text", "text": "Hi"}]},
    },
    "/mcp": {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
    "/v1/responses": {"model": "any", "input": "Hi"},
    "/v1/chat/completions": {"model": "any", "messages": [{"role": "user", "content": "Hi"}]},
}
"""Bodies for the addresses that answer nothing without one."""


TELLING_NOTHING = {
    "GET /api/ai-sdk/chat/{conversationId}/stream": b"",
    "POST /api/ai-sdk/chat/{conversationId}/stop": b'{"cancelled":[]}',
}
"""What succeeds for what is not there too, and the answer then."""


@dataclass(frozen=True)
class Made:
    """A request that makes something, and where its answer has what fills in an address:
    `Made("POST /api/things", {"name": "Mine"}, {"thingId": "id"})`.

    The address, the body's texts and the headers may have names of requests before it in braces,
    and `{unique}`."""

    request: str
    body: Any = None
    names: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    file: bytes = b""
    """It is sent as the part `file` of a form, in place of a body."""


def calls(tool: str, **arguments: str) -> dict[str, str]:
    """A message whose answer by the model server of the tests is a call of this tool."""
    given = b64encode(json.dumps(arguments).encode()).decode()
    return {"message": f"[[upstream mode=tool tool={tool} input={given} tokens=2]]"}


HELPER = {
    "name": "Helper",
    "provider": "anthropic",
    "allowedOrigins": [SHOP],
    "tools": [{"builtin": "current_time", "approval": "always"}, {"builtin": "memory"}],
}
TEXT = {"title": "Ours", "text": "Ours."}
MCP_SERVER = {"name": "{unique}", "url": "https://mcp.example"}
REMEMBERED = calls("memory_save", key="tea", content="Green.")
SESSION = {"visitorId": "visitorId", "visitorToken": "token"}
VISITOR = {"Origin": SHOP, "Authorization": "Bearer {visitorToken}"}
ASKED = {
    "runId": "runId",
    "conversationId": "conversationId",
    "approvalId": "pending.0.id",
    "digest": "pending.0.argsDigest",
}
"""Names of an answer to a message whose answer waits for an approval."""

MADE = (
    Made("POST /api/agents", HELPER, {"agentId": "id"}),
    Made("POST /api/agents/{agentId}/versions", None, {"version": "version"}),
    Made("POST /api/agents/{agentId}/keys", {"scopes": ["chat"]}, {"keyId": "id"}),
    Made("POST /api/agents/{agentId}/documents", TEXT, {"documentId": "id"}),
    Made("POST /a/{agentId}/api/files", None, {"fileId": "id"}, file=b"Ours."),
    Made("POST /api/mcp-servers", MCP_SERVER, {"serverId": "id"}),
    Made("POST /api/secrets", {"name": "S{unique}", "value": "hush"}, {"name": "name"}),
    Made("POST /api/budgets", {"scope": "organization", "tokens": 10**9}, {"budgetId": "id"}),
    Made(
        "POST /api/webhooks",
        {"url": "https://hooks.example/{unique}", "events": ["run:completed"]},
        {"webhookId": "id"},
    ),
    Made("POST /api/webhooks/{webhookId}/test", None, {"deliveryId": "id"}),
    Made(
        "POST /api/alert-rules",
        {"name": "Ours", "metric": "cost", "threshold": 5},
        {"ruleId": "id"},
    ),
    Made(
        "POST /api/streaming/pipelines",
        PIPELINE,
        {"pipelineId": "id", "tableName": "destination.config.table", "secret": "id"},
    ),
    Made("POST /api/streaming/pipelines/{pipelineId}/checkpoints", None, {"checkpointId": "id"}),
    Made("POST /api/invitations", {"email": "{unique}@example.com"}, {"invitationId": "id"}),
    Made("GET /api/members", None, {"memberId": "members.0.id"}),
    # A run that has ended after somebody approved a call.
    Made("POST /a/{agentId}/api/chat", calls("current_time"), ASKED),
    Made(
        "POST /api/runs/{runId}/approvals/{approvalId}",
        {"approve": True, "argsDigest": "{digest}", "always": "agent"},
    ),
    Made("GET /api/standing-approvals", None, {"standingApprovalId": "standingApprovals.0.id"}),
    Made("GET /api/runs/{runId}/events"),
    Made("POST /v1/responses", {"model": "{agentId}", "input": "Hi"}, {"responseId": "id"}),
    Made("GET /api/conversations/{conversationId}/messages", None, {"messageId": "messages.-1.id"}),
    # A visitor of whom the agent remembers something.
    Made("POST /a/{agentId}/api/visitor-sessions", {}, SESSION, {"Origin": SHOP}),
    Made("POST /a/{agentId}/api/chat", REMEMBERED, {}, VISITOR),
    Made(
        "GET /api/agents/{agentId}/memories?visitor={visitorId}",
        None,
        {"memoryId": "memories.0.id"},
    ),
)
"""One of each, made over the API, in this order."""

NAMES = {name for made in MADE for name in made.names}


@dataclass(frozen=True)
class Belongings:
    """What one organisation has; `names` fill in an address."""

    names: dict[str, str]

    def address(self, path: str) -> str:
        """An address of the description, of what this organisation has."""
        return path.format_map(_Names(self.names))


class _Names(dict[str, str]):
    def __missing__(self, name: str) -> str:
        raise AssertionError(f"Nothing is made for {{{name}}}: add a line to `MADE` in {__file__}.")


def master_key(server: Server, name: str) -> str:
    """A key of this organisation, for all its agents, with every scope."""
    options = ("--org", name, "--scopes", ",".join(SCOPES), "--json")
    return str(json.loads(server.manage("create_api_key", *options))["apiKey"])


async def make_belongings(rest: Rest) -> Belongings:
    """One of each, made over the API."""
    names = {"unique": uuid4().hex[:8]}
    for made in MADE:
        method, address = made.request.format(**names).split(" ")
        body, headers = filled(made.body, names), filled(made.headers, names)
        sent = {"files": {"file": ("ours.txt", made.file)}} if made.file else {"json": body}
        answer = await rest.request(method, address, headers=headers, **sent)
        assert answer.is_success, f"{method} {address}: {answer.text}"
        names |= {name: found(answer.json(), at) for name, at in made.names.items()}
    return Belongings(names)


def filled(value: Any, names: dict[str, str]) -> Any:
    """The value with the names in its texts filled in."""
    match value:
        case str():
            return value.format(**names)
        case dict():
            return {key: filled(each, names) for key, each in value.items()}
        case list():
            return [filled(each, names) for each in value]
    return value


def found(answer: Any, at: str) -> str:
    """What an answer has at a place like `pending.0.id`."""
    for step in at.split("."):
        answer = answer[int(step) if isinstance(answer, list) else step]
    return str(answer)
