"""`/api/conversations/{id}/messages`: history, ask, and follow, all at one address."""

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from agents.caller import Caller
from conversations.history import page
from conversations.process.services import services_of
from conversations.runs.find import find_conversation
from conversations.transports.http import caller_of, named, require_credential, visibility_of
from conversations.transports.rest import api
from conversations.transports.sse import views as sse
from core.database import database_step
from core.http import Answer, flag, page_of
from wire import native
from wire.encoder import ENCODERS, Encoding
from wire.native import ChatRequest
from wire.selection import Selection


async def messages(
    request: HttpRequest, conversation_id: str, slug: str | None = None
) -> HttpResponseBase:
    """`GET`: the history, or with `?stream=true` everything from now on."""
    caller = await caller_of(request, slug, request.GET.get("agentId"))
    if flag(request, "stream"):
        encoding = _encoding(request, caller, merge=False)
        return await sse.conversation_stream(request, caller, conversation_id, encoding)
    caller.principal.require("conversations:read")
    shown = await database_step(
        page.read_messages, caller, conversation_id, page_of(request), visibility_of(caller)
    )
    return Answer(shown)


async def ask(
    request: HttpRequest, conversation_id: str, slug: str | None = None
) -> HttpResponseBase:
    """`POST {content}`: the whole answer, or its stream."""
    require_credential(request)
    limit = settings.CLAW_MAX_MESSAGE_BYTES
    body, streams = native.parse_content(request.body, message_bytes=limit)
    body = named(request, body)
    caller = await caller_of(request, slug, body.agent_id or request.GET.get("agentId"))
    conversation = await find_conversation(caller, conversation_id)
    chat: ChatRequest = msgspec.structs.replace(body, conversation_id=conversation.public_id)
    services = services_of(request.scope)
    if not (streams or flag(request, "stream")):
        return await api.ask_and_wait(services, caller, chat)
    encoding = _encoding(request, caller, merge=chat.merge)
    if request.headers.get("last-event-id"):
        return await sse.resume(request, caller, encoding)
    return await sse.start_stream(services, caller, chat, encoding)


def _encoding(request: HttpRequest, caller: Caller, *, merge: bool) -> Encoding:
    deltas = flag(request, "deltas")
    merge = merge or flag(request, "merge")
    selection = Selection(visibility_of(caller, deltas=deltas), merge=merge)
    return Encoding(ENCODERS["conversation"], selection)
