"""Agents as tools of an MCP server, with what was said and their documents to read: `/mcp`.

Nothing is kept between requests, so any process answers any of them. A session is only a name that
its client sends again."""

from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from msgspec.structs import replace

from agents.access import agents_listed
from agents.caller import Caller
from conversations import access
from conversations.process.services import services_of
from conversations.transports.facade import resources
from conversations.transports.http import (
    caller_of,
    named,
    require_credential,
    visibility_of,
)
from conversations.transports.sse.views import open_run, streamed
from core.database import database_step
from core.http import Answer
from engine.errors import ClawError
from wire.encoder import Encoder, Encoding
from wire.encoders.mcp import McpCall, told
from wire.facade.mcp import (
    NO_METHOD,
    WITHOUT_SESSION,
    McpRequest,
    Refused,
    call_name,
    discovered,
    initialized,
    listed,
    no_tool,
    parse_mcp,
    resource_templates,
)
from wire.selection import Selection

SESSION = "Mcp-Session-Id"
MAX_AGENTS = 1000  # the list has no pages


async def serve(request: HttpRequest, slug: str | None = None) -> HttpResponseBase:
    """`POST /mcp`: one message of a client."""
    require_credential(request)
    asked = parse_mcp(request.body)
    modern = request.headers.get("mcp-protocol-version") == WITHOUT_SESSION
    try:
        caller = await _caller(request, slug, asked)
        if asked.id is None:
            return await _notified(request, caller, asked)
        names = ("protocol-version", "method")
        asked.check(*(request.headers.get(f"mcp-{name}") for name in names))
        if asked.method == "tools/call":
            return await _call(request, caller, asked, modern=modern)
        result = await _result(caller, asked)
    except Refused as refused:
        return Answer(asked.refusal(refused), refused.status(modern=modern))
    answer = Answer(asked.answer(result, modern=modern))
    if asked.method == "initialize":
        answer[SESSION] = token_urlsafe(16)
    return answer


class McpEncoding(Encoding, frozen=True, kw_only=True):
    """The encoding of one call."""

    asked: McpRequest
    conversation_id: str
    modern: bool

    def encoder(self, run_id: str | None = None) -> Encoder:
        """See `Encoding.encoder`."""
        return McpCall(
            self.selection,
            run_id,
            id=self.asked.id or 0,
            token=self.asked.params.progress_token,
            conversation_id=self.conversation_id,
            modern=self.modern,
        )


async def _caller(request: HttpRequest, slug: str | None, asked: McpRequest) -> Caller:
    """The caller, and the agent that is called. Raises `Refused` for one that is not there, and
    `forbidden` for a page of another origin, unless the key lists it."""
    try:
        caller = await caller_of(request, slug, asked.agent)
    except ClawError as error:
        if asked.agent is None or error.code not in ("agent_not_found", "agent_mismatch"):
            raise
        raise no_tool(asked) from None
    caller.principal.require("chat")
    origin = request.headers.get("origin")
    if origin is None or caller.readable or urlsplit(origin).netloc == request.get_host():
        return caller
    raise ClawError("forbidden", "Pages of this origin may not ask: the key does not list it.")


async def _result(caller: Caller, asked: McpRequest) -> dict[str, Any]:
    """The result of any method but a call. Raises `Refused`."""
    match asked.method:
        case "initialize":
            return initialized(settings.VERSION, asked.params.protocol_version)
        case "server/discover":
            return discovered(settings.VERSION)
        case "tools/list":
            return listed(await database_step(_agents, caller))
        case "resources/list":
            return await database_step(resources.listed, caller, asked.params.cursor)
        case "resources/templates/list":
            return resource_templates()
        case "resources/read":
            return await database_step(resources.contents, caller, asked.params.uri or "")
        case "ping":
            return {}
    raise Refused(NO_METHOD, f"There is no method “{asked.method}” here.")


def _agents(caller: Caller) -> list[tuple[str, str]]:
    rows = agents_listed(caller).order_by("slug")[:MAX_AGENTS]
    return list(rows.values_list("slug", "name"))


async def _call(
    request: HttpRequest, caller: Caller, asked: McpRequest, *, modern: bool
) -> HttpResponseBase:
    """Ask an agent. An error of that is the call's result, for the model to read. Raises
    `Refused`."""
    if asked.agent is None:
        raise no_tool(asked)
    chat, session = asked.chat(), request.headers.get(SESSION)
    if session is not None and "idempotency-key" not in request.headers:
        chat = replace(chat, client_message_id=call_name(session, asked.id or 0))
    chat = replace(named(request, chat), on_disconnect=McpCall.on_disconnect)
    services = services_of(request.scope)
    try:
        accepted, slots = await open_run(services, caller, chat)
    except ClawError as error:
        result = told(None, chat.conversation_id or "", "", error)
        return Answer(asked.answer(result, modern=modern))
    encoding = McpEncoding(
        McpCall,
        Selection(visibility_of(caller)),
        asked=asked,
        conversation_id=accepted.run.conversation.public_id,
        modern=modern,
    )
    return streamed(services, caller, accepted, encoding, slots)


async def _notified(request: HttpRequest, caller: Caller, asked: McpRequest) -> HttpResponse:
    """Stop the run of a call that its client has cancelled; other notifications need nothing."""
    session, call = request.headers.get(SESSION), asked.params.request_id
    if asked.method == "notifications/cancelled" and session and call is not None:
        name = call_name(session, call)
        if run := await database_step(access.run_of_client_message, caller, name):
            await services_of(request.scope).dispatcher.cancel(run)
    return HttpResponse(status=202)
