"""`/api/conversations/{id}/messages`: history, ask, and follow, all at one address."""

import msgspec
from django.http import HttpRequest, HttpResponseBase

from accounts.database import database_step
from accounts.http import Answer, flag, page_of
from agents.caller import Caller
from conversations import history, runs
from conversations.transports import api, sse
from conversations.transports.http import caller_of, named, require_token, visibility_of
from wire import native
from wire.conversation import ConversationView
from wire.native import ChatRequest


async def messages(
    request: HttpRequest, conversation_id: str, slug: str | None = None
) -> HttpResponseBase:
    """`GET`: the history, or with `?stream=true` everything from now on."""
    caller = await caller_of(request, slug, request.GET.get("agentId"))
    if flag(request, "stream"):
        view = _view(request, caller, merge=False)
        return await sse.conversation_stream(request, caller, conversation_id, view)
    caller.require("conversations:read")
    shown = await database_step(
        history.read_messages, caller, conversation_id, page_of(request), visibility_of(caller)
    )
    return Answer(shown)


async def ask(
    request: HttpRequest, conversation_id: str, slug: str | None = None
) -> HttpResponseBase:
    """`POST {content}`: the whole answer, or its stream."""
    require_token(request)
    body, streams = native.parse_content(request.body, message_bytes=runs.max_message_bytes())
    body = named(request, body)
    caller = await caller_of(request, slug, body.agent_id or request.GET.get("agentId"))
    conversation = await runs.conversation(caller, conversation_id)
    chat: ChatRequest = msgspec.structs.replace(body, conversation_id=conversation.public_id)
    if not (streams or flag(request, "stream")):
        return await api.ask_and_wait(caller, chat)
    view = _view(request, caller, merge=chat.merge)
    if request.headers.get("last-event-id"):
        return await sse.resume(request, caller, view)
    return await sse.start_stream(caller, chat, view)


def _view(request: HttpRequest, caller: Caller, *, merge: bool) -> ConversationView:
    deltas = flag(request, "deltas")
    return ConversationView(
        visibility_of(caller, deltas=deltas), merge=merge or flag(request, "merge")
    )
