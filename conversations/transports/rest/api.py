"""REST: ask and wait, runs, conversations and their history."""

import msgspec
from django.http import HttpRequest, HttpResponse
from msgspec import structs, to_builtins

from agents.api import agents
from agents.caller import Caller
from conversations import access
from conversations.history import access as history
from conversations.history.page import page_of_messages, read_versions
from conversations.models import Run
from conversations.process.services import Services, services_of
from conversations.rendering import render_conversation
from conversations.runs import erase
from conversations.runs.cancel import cancel_conversation, cancel_organization
from conversations.runs.find import find_run, find_run_to_stop
from conversations.runs.read import describe_run
from conversations.transports.asking import ask
from conversations.transports.http import caller_of, visibility_of
from conversations.transports.sse.views import read_chat
from core.database import database_step
from core.http import Answer, page_of, read
from engine.errors import RunFailed
from wire.native import ChatRequest
from wire.objects.conversations import (
    CancelledRun,
    CancelledRuns,
    ChatAnswer,
    ConversationFields,
    Message,
    PartialAnswer,
    WaitingRun,
)
from wire.parse import check_client_id, check_text
from wire.visibility import EVERYTHING

_fields = msgspec.json.Decoder(ConversationFields)


async def chat(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    """`POST /api/chat`: the whole answer in one response."""
    body = read_chat(request)
    caller = await caller_of(request, slug, body.agent_id)
    return await ask_and_wait(services_of(request.scope), caller, body)


async def ask_and_wait(services: Services, caller: Caller, body: ChatRequest) -> HttpResponse:
    """Start a run and answer when it is done, or as soon as it waits for somebody."""
    run, message = await ask(services, caller, body)
    if isinstance(message, WaitingRun):
        return Answer(message, 202)
    return _answer(run, message)


def _answer(run: Run, message: Message) -> Answer:
    """The whole answer. Raises the error of a run that failed, with what there is as `details`."""
    part = PartialAnswer(
        run_id=run.pk,
        conversation_id=run.conversation.public_id,
        message_id=message.id,
        content=message.content,
        usage=message.usage,
    )
    if error := message.error:
        details = to_builtins(part)
        raise RunFailed(error.code, error.message, retry_after=error.retry_after, details=details)
    return Answer(ChatAnswer(**structs.asdict(part), stop_reason=message.stop_reason or ""))


async def run_detail(request: HttpRequest, caller: Caller, run_id: str) -> HttpResponse:
    """`GET /api/runs/{id}`."""
    described = await describe_run(services_of(request.scope).log, await find_run(caller, run_id))
    return Answer(visibility_of(caller).run(described))


async def run_cancel(request: HttpRequest, caller: Caller, run_id: str) -> Answer:
    """`POST /api/runs/{id}/cancel`: idempotent, from any connection."""
    run = await find_run_to_stop(caller, run_id)
    await services_of(request.scope).dispatcher.cancel(run)
    return Answer(CancelledRun(id=run.pk, status=run.status), 202)


async def conversation_cancel(request: HttpRequest, caller: Caller, conversation_id: str) -> Answer:
    """`POST /api/conversations/{id}/cancel`: everything that runs or waits in it."""
    dispatcher = services_of(request.scope).dispatcher
    told = await cancel_conversation(dispatcher, caller, conversation_id)
    return Answer(CancelledRuns(cancelled=told), 202)


async def runs_cancel(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/runs/cancel`: everything of the organisation; needs the scope `admin`."""
    dispatcher = services_of(request.scope).dispatcher
    told = await cancel_organization(dispatcher, caller.principal)
    return Answer(CancelledRuns(cancelled=told), 202)


def create_conversation(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/conversations`: 201."""
    caller.principal.require("conversations:write")
    body = _given(request)
    check_client_id("id", body.id)
    made = access.create_conversation(caller, body.id, body.title or "")
    return Answer(render_conversation(made), 201)


def transcript(request: HttpRequest, caller: Caller, conversation_id: str) -> HttpResponse:
    """`GET /api/conversations/{id}/transcript`: also a visitor's, for the organisation."""
    caller.principal.require("conversations:read")
    found = history.conversation_of_organization(caller, conversation_id)
    return Answer(page_of_messages(found, page_of(request), EVERYTHING))


def change_conversation(request: HttpRequest, caller: Caller, conversation_id: str) -> HttpResponse:
    """`PATCH /api/conversations/{id}`: its title."""
    caller.principal.require("conversations:write")
    found = access.conversation(caller, conversation_id)
    if (title := _given(request).title) is not None:
        found.title = title
        found.save(update_fields=["title"])
    return Answer(render_conversation(found))


def versions(request: HttpRequest, caller: Caller, message_id: str) -> HttpResponse:
    """`GET /api/messages/{id}/versions`."""
    caller.principal.require("conversations:read")
    return Answer(read_versions(caller, message_id, page_of(request), visibility_of(caller)))


async def erase_conversation(
    request: HttpRequest, caller: Caller, conversation_id: str
) -> HttpResponse:
    """`DELETE /api/conversations/{id}`: 204."""
    caller.principal.require("conversations:write")
    found = await database_step(history.conversation_to_erase, caller, conversation_id)
    await erase.erase_conversation(services_of(request.scope), found)
    return HttpResponse(status=204)


async def erase_visitor(request: HttpRequest, caller: Caller, visitor_id: str) -> HttpResponse:
    """`DELETE /api/agents/{id}/visitors/{visitorId}`: 204, also for one who was never here."""
    caller.principal.require("agents:write")
    await erase.erase_visitor(services_of(request.scope), caller, visitor_id)
    return HttpResponse(status=204)


async def erase_agent(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`DELETE /api/agents/{id}`: 204; with its conversations, after what still runs has ended, so
    that its watchers see its end."""
    await database_step(agents.hide, request, caller)
    await erase.erase_agent(services_of(request.scope), caller)
    return HttpResponse(status=204)


def _given(request: HttpRequest) -> ConversationFields:
    body = read(_fields, request)
    if body.title:
        check_text("title", body.title)
    return body
