"""Chats of the AI SDK: `/api/ai-sdk/chat`."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from msgspec.structs import replace

from agents.caller import Caller
from conversations import access
from conversations.models import FINAL, Run
from conversations.process.services import services_of
from conversations.runs.cancel import cancel_conversation
from conversations.runs.positions import is_kept
from conversations.transports.facade.caller import caller_for
from conversations.transports.facade.continuation import calls_of
from conversations.transports.facade.uploads import with_files
from conversations.transports.http import named, require_credential, visibility_of
from conversations.transports.sse.streams import RunStream, StreamResponse, stream_response
from conversations.transports.sse.views import open_run, streamed
from core.database import database_step
from core.http import Answer
from engine.errors import ClawError
from wire.encoder import Encoder, Encoding
from wire.encoders.ai_sdk import UiMessageChunks
from wire.facade.ai_sdk import UiChatRequest, parse_ui_chat
from wire.facade.history import ForeignRequest
from wire.objects.conversations import CancelledRuns
from wire.selection import Selection

NOTHING_THERE = ("conversation_not_found", "run_not_found")


async def chat(request: HttpRequest, slug: str | None = None) -> HttpResponseBase:
    """`POST /api/ai-sdk/chat`: the answer to the last message, as a stream of chunks."""
    require_credential(request)
    asked = parse_ui_chat(request.body)
    caller = await caller_for(request, slug, asked.model)
    sent = await with_files(caller, await database_step(_chat_of, caller, asked))
    chat = replace(named(request, sent), on_disconnect=UiMessageChunks.on_disconnect)
    services, foreign = services_of(request.scope), _foreign(asked)
    accepted, slots = await open_run(services, caller, chat, foreign=foreign)
    encoding = _encoding(caller, accepted.run)
    return _marked(streamed(services, caller, accepted, encoding, slots))


async def resume(request: HttpRequest, caller: Caller, conversation_id: str) -> HttpResponseBase:
    """`GET /api/ai-sdk/chat/{id}/stream`: the answer that is being made, from its beginning; 204 if
    there is none."""
    caller.principal.require("chat")
    services = services_of(request.scope)
    try:
        run = await database_step(access.latest_run, caller, conversation_id)
    except ClawError as error:
        if error.code not in NOTHING_THERE:
            raise
        return HttpResponse(status=204)
    if run.status in FINAL or not await is_kept(services.log, run):
        return HttpResponse(status=204)
    stream = RunStream(services, run, 0, _encoding(caller, run), caller=caller)
    return _marked(await stream_response(services.limits, caller, run.agent_id, stream))


async def stop(request: HttpRequest, caller: Caller, conversation_id: str) -> Answer:
    """`POST /api/ai-sdk/chat/{id}/stop`: idempotent, also for a chat that is not there."""
    dispatcher = services_of(request.scope).dispatcher
    try:
        cancelled = await cancel_conversation(dispatcher, caller, conversation_id)
    except ClawError as error:
        if error.code not in NOTHING_THERE:
            raise
        cancelled = []
    return Answer(CancelledRuns(cancelled=cancelled))


class UiMessageEncoding(Encoding, frozen=True, kw_only=True):
    """The encoding of one answer."""

    message_id: str
    conversation_id: str

    def encoder(self, run_id: str | None = None) -> Encoder:
        """See `Encoding.encoder`."""
        return UiMessageChunks(
            self.selection,
            run_id,
            message_id=self.message_id,
            conversation_id=self.conversation_id,
        )


def _encoding(caller: Caller, run: Run) -> Encoding:
    continued = (run.foreign or {}).get("message_id")
    return UiMessageEncoding(
        UiMessageChunks,
        Selection(visibility_of(caller)),
        message_id=continued or run.message.public_id,
        conversation_id=run.conversation.public_id,
    )


def _marked(response: StreamResponse) -> StreamResponse:
    response["X-Vercel-AI-UI-Message-Stream"] = "v1"
    return response


def _foreign(asked: UiChatRequest) -> dict[str, Any]:
    """The fields that are kept with the run. A call of the client's tools ends the answer, and
    the results continue the message that has asked for them."""
    kept: dict[str, Any] = {"hands_over": True}
    return kept | {"message_id": asked.continued} if asked.continued else kept


def _chat_of(caller: Caller, asked: UiChatRequest) -> ForeignRequest:
    """The request in the native protocol. Raises `invalid_message`, `message_too_large`."""
    latest = _latest(caller, asked.id)
    known = calls_of(latest) if latest else []
    chat = asked.chat(known, message_bytes=settings.CLAW_MAX_MESSAGE_BYTES)
    if asked.trigger == "submit-message" or latest is None:
        return chat
    return replace(chat, replaces=_question(caller, asked.message_id) or _asked_by(latest))


def _latest(caller: Caller, chat_id: str) -> Run | None:
    try:
        return access.latest_run(caller, chat_id)
    except ClawError:  # there is none yet, or no answer in it
        return None


def _question(caller: Caller, message_id: str | None) -> str | None:
    """The question that this message answers, if it is one of ours."""
    if message_id is None:
        return None
    try:
        run = access.answer(caller, message_id).run
    except ClawError:  # a name that the client has made up
        return None
    return _asked_by(run)


def _asked_by(run: Run) -> str:
    return str(run.user_message.public_id)
