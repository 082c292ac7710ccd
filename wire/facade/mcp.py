"""Agents as tools of an MCP server: what a client asks, and what it is told.

https://modelcontextprotocol.io/specification/2025-11-25 and 2026-07-28, with the types of `mcp`
2.3.0, read on 2026-11-30."""

import hashlib
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from engine.errors import ClawError, invalid
from wire import parse
from wire.errors import envelope_of
from wire.native import ChatRequest, check_chat

WITHOUT_SESSION = "2026-07-28"
"""The version whose requests stand for themselves."""
WITH_SESSION = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""Those that begin with `initialize`, the newest first."""
PREFIX = "ask_"
INSTRUCTIONS = "Each tool asks an agent. Give its `conversationId` back to go on with a talk."
CAPABILITIES: dict[str, Any] = {"tools": {}, "resources": {}}
CONVERSATIONS, DOCUMENTS = "conversations", "documents"
KINDS = (CONVERSATIONS, DOCUMENTS)
"""The kinds of resources, in the order of the list; `clawsite://<kind>/<id>` is one."""
MEDIA_TYPES = {CONVERSATIONS: "text/markdown", DOCUMENTS: "text/plain"}

INVALID_REQUEST, NO_METHOD, INVALID_PARAMS, INTERNAL, OTHER = -32600, -32601, -32602, -32603, -32000
MISMATCH, UNSUPPORTED = -32020, -32022
KEPT = {"ttlMs": 0, "cacheScope": "private"}
"""What a client of the version without sessions is told of keeping an answer: it may not."""
CODES = {"invalid_message": INVALID_REQUEST, "internal_error": INTERNAL}

INPUT = {
    "type": "object",
    "properties": {
        "message": {"type": "string", "description": "What to ask the agent."},
        "conversationId": {
            "type": "string",
            "description": "The `conversationId` of an earlier answer: the talk goes on.",
        },
    },
    "required": ["message"],
}
OUTPUT = {
    "type": "object",
    "properties": {"message": {"type": "string"}, "conversationId": {"type": "string"}},
    "required": ["message", "conversationId"],
}


class McpError(msgspec.Struct, frozen=True):
    """An error of JSON-RPC. `data` has the code of ours and the id of the request."""

    code: int
    message: str
    data: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class McpAnswer(msgspec.Struct, frozen=True):
    """A response of JSON-RPC: a result or an error."""

    jsonrpc: Literal["2.0"]
    id: str | int | None
    result: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    error: McpError | msgspec.UnsetType = msgspec.UNSET


class Refused(Exception):
    """The error that answers a request in place of a result."""

    def __init__(self, code: int, message: str, **data: Any) -> None:
        super().__init__(message)
        self.error = McpError(code, message, data or msgspec.UNSET)

    def status(self, *, modern: bool) -> int:
        """The HTTP status: in the version without sessions each error has one."""
        if modern:
            return 404 if self.error.code == NO_METHOD else 400
        return 200 if self.error.code in (NO_METHOD, INVALID_PARAMS) else 400


class Params(msgspec.Struct, frozen=True, rename="camel"):
    """The fields of all methods that are looked at."""

    protocol_version: str | None = None
    name: str | None = None
    arguments: dict[str, Any] | None = None
    uri: str | None = None
    cursor: str | None = None
    request_id: str | int | None = None
    meta: dict[str, Any] | None = msgspec.field(default=None, name="_meta")

    @property
    def progress_token(self) -> str | int | None:
        """The token of the notifications of progress, if the client wants any."""
        token = (self.meta or {}).get("progressToken")
        return token if isinstance(token, (str, int)) else None


class McpRequest(msgspec.Struct, frozen=True):
    """A message of JSON-RPC. Without an `id` it is a notification."""

    jsonrpc: Literal["2.0"]
    method: str
    id: str | int | None = None
    given: Params | None = msgspec.field(default=None, name="params")

    @property
    def params(self) -> Params:
        """The parameters, of which there may be none."""
        return self.given or Params()

    @property
    def agent(self) -> str | None:
        """The slug of the agent that is called; None if none is."""
        name = self.params.name or ""
        called = self.method == "tools/call" and name.startswith(PREFIX)
        return name.removeprefix(PREFIX) or None if called else None

    def check(self, version: str | None, method: str | None) -> None:
        """Check the headers `MCP-Protocol-Version` and `Mcp-Method`. Raises `Refused`."""
        known = (WITHOUT_SESSION, *WITH_SESSION)
        if version is not None and version not in known:
            data = {"supported": [*known], "requested": version}
            raise Refused(UNSUPPORTED, "This version of the protocol is not supported.", **data)
        if method is not None and method != self.method:
            raise Refused(MISMATCH, "The header Mcp-Method names another method.")

    def chat(self) -> ChatRequest:
        """The arguments of a call as a request in the native protocol. Raises `Refused`."""
        given = self.params.arguments or {}
        fields = {"message": given.get("message"), "conversationId": given.get("conversationId")}
        try:
            return check_chat(msgspec.convert(fields, ChatRequest))
        except msgspec.ValidationError:
            problem = "The arguments are `message` and `conversationId`, which are texts."
            raise Refused(INVALID_PARAMS, problem) from None
        except ClawError as error:
            raise Refused(INVALID_PARAMS, error.message) from None

    def answer(self, result: dict[str, Any], *, modern: bool) -> McpAnswer:
        """The response with this result; `modern` is the version without sessions."""
        kind = {"resultType": "complete"} if modern else {}
        return McpAnswer("2.0", self.id, result=result | kind)

    def refusal(self, refused: Refused) -> McpAnswer:
        """The response with this error."""
        return McpAnswer("2.0", self.id, error=refused.error)


def initialized(version: str, asked: str | None) -> dict[str, Any]:
    """The result of `initialize`, from the version of this installation."""
    return {
        "protocolVersion": asked if asked in WITH_SESSION else WITH_SESSION[0],
        "capabilities": CAPABILITIES,
        "serverInfo": {"name": "clawsite", "version": version},
        "instructions": INSTRUCTIONS,
    }


def discovered(version: str) -> dict[str, Any]:
    """The result of `server/discover`."""
    return {
        "supportedVersions": [WITHOUT_SESSION, *WITH_SESSION],
        "capabilities": CAPABILITIES,
        "instructions": INSTRUCTIONS,
        "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "clawsite", "version": version}},
        **KEPT,
    }


def listed(agents: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The result of `tools/list`: agents by slug and name."""
    tools = [
        {
            "name": PREFIX + slug,
            "title": name,
            "description": f"Ask the agent “{name}”.",
            "inputSchema": INPUT,
            "outputSchema": OUTPUT,
        }
        for slug, name in agents
    ]
    return {"tools": tools, **KEPT}


def resource_page(kind: str, rows: Iterable[tuple[str, str]], cursor: str | None) -> dict[str, Any]:
    """The result of `resources/list`: resources of one kind by id and title, and where the list
    goes on."""
    media_type = {"mimeType": MEDIA_TYPES[kind]}
    resources = [
        {"uri": f"clawsite://{kind}/{id_}", "name": title, **media_type} for id_, title in rows
    ]
    return {"resources": resources, **({"nextCursor": cursor} if cursor else {}), **KEPT}


def resource_templates() -> dict[str, Any]:
    """The result of `resources/templates/list`."""
    templates = [
        {"uriTemplate": f"clawsite://{kind}/{{id}}", "name": kind, "mimeType": MEDIA_TYPES[kind]}
        for kind in KINDS
    ]
    return {"resourceTemplates": templates, **KEPT}


def resource_contents(uri: str, kind: str, text: str) -> dict[str, Any]:
    """The result of `resources/read`."""
    return {"contents": [{"uri": uri, "mimeType": MEDIA_TYPES[kind], "text": text}], **KEPT}


def no_resource(uri: str) -> Refused:
    """The error for what is no resource of this caller."""
    return Refused(INVALID_PARAMS, "There is no such resource.", uri=uri)


def no_cursor() -> Refused:
    """The error for a place in a list that there is not."""
    return Refused(INVALID_PARAMS, "This is no cursor of this list.")


def no_tool(asked: McpRequest) -> Refused:
    """The error for a call of what is no tool of this caller."""
    return Refused(INVALID_PARAMS, f"There is no tool “{asked.params.name or ''}”.")


def call_name(session: str, request_id: str | int) -> str:
    """The name of the message of a call in a session, by which it is cancelled."""
    return "mcp:" + hashlib.sha256(parse.dumps([session, request_id])).hexdigest()


def mcp_envelope(error: ClawError, request_id: str) -> McpAnswer:
    """The body of an HTTP answer to a client of MCP."""
    body = msgspec.to_builtins(envelope_of(error, request_id).error)
    message = body.pop("message")
    code = CODES.get(error.code, OTHER)
    return McpAnswer("2.0", None, error=McpError(code, message, body))


_request = msgspec.json.Decoder(McpRequest)


def parse_mcp(body: bytes) -> McpRequest:
    """The JSON body of a request. Raises `invalid_message`."""
    if body.lstrip().startswith(b"["):
        raise invalid("$", "Send one message at a time.")
    return parse.decode(_request, body)
