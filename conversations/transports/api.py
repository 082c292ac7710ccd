"""REST: ask and wait, runs, conversations and their history."""

import asyncio
from contextlib import aclosing
from typing import Any

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from accounts.database import database_step
from accounts.http import Answer, newest, page_of, read
from agents.api import agents
from agents.caller import Caller
from conversations import access, runs, wiring
from conversations.history import conversation_object, message_object, shown
from conversations.limits import doors
from conversations.models import FINAL, Run
from conversations.transports.http import caller_of, visibility_of
from conversations.transports.sse import read_chat
from engine.errors import ClawError
from engine.log.base import LogError, UnknownRun
from engine.transcript import Transcript, fold_all
from wire.native import ChatRequest
from wire.objects import ConversationFields, Feedback
from wire.parse import check_client_id, check_text

RECOVERY_MS = 1000  # a client that waits this long may find the answer taken up again

_fields = msgspec.json.Decoder(ConversationFields)
_feedback = msgspec.json.Decoder(Feedback)


async def chat(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    """`POST /api/chat`: the whole answer in one response."""
    body = read_chat(request)
    return await ask_and_wait(await caller_of(request, slug, body.agent_id), body)


async def ask_and_wait(caller: Caller, body: ChatRequest) -> HttpResponse:
    """Start a run and answer when it is done; of a run that was over long ago, what is stored."""
    await doors.count_message(caller)
    accepted = await runs.start(caller, body)
    run = accepted.run
    try:
        with wiring.services().connections.waiting():
            return _answer(run, await _message(run))
    except asyncio.CancelledError:
        if accepted.new and run.on_disconnect == "cancel":
            await runs.cancel(run)
        raise


async def _message(run: Run) -> dict[str, Any]:
    """The assistant's message when the run is done."""
    if run.status in FINAL:
        return message_object(run.message, run.pk)
    transcript = Transcript()
    try:
        async with aclosing(runs.follow(run.pk)) as batches:
            async for batch in batches:
                fold_all([entry.data for entry in batch], transcript)
    except UnknownRun:
        raise ClawError("run_not_found", "The conversation was deleted meanwhile.") from None
    except LogError:
        raise ClawError(
            "unavailable",
            "The answer is being recovered.",
            retry_after=RECOVERY_MS,
            details={"runId": run.pk},
        ) from None
    return transcript.message()


def _answer(run: Run, message: dict[str, Any]) -> Answer:
    """The REST answer; raises the run's error with what there is in `details`."""
    about = {
        "runId": run.pk,
        "conversationId": run.conversation.public_id,
        "messageId": message["id"],
        "content": message["content"],
        "usage": message["usage"],
    }
    if error := message["error"]:
        code, text, wait = error["code"], error["message"], error.get("retryAfter")
        raise ClawError(code, text, retry_after=wait, details=about)
    return Answer(about | {"stopReason": message["stopReason"]})


async def run_detail(request: HttpRequest, caller: Caller, run_id: str) -> HttpResponse:
    """`GET /api/runs/{id}`."""
    return Answer(await runs.describe(await runs.find(caller, run_id)))


async def run_cancel(request: HttpRequest, caller: Caller, run_id: str) -> Answer:
    """`POST /api/runs/{id}/cancel`: idempotent, from any connection."""
    run = await runs.find(caller, run_id)
    await runs.cancel(run)
    return Answer({"id": run.pk, "status": run.status}, 202)


async def conversation_cancel(request: HttpRequest, caller: Caller, conversation_id: str) -> Answer:
    """`POST /api/conversations/{id}/cancel`: everything that runs or waits in it."""
    return Answer({"cancelled": await runs.cancel_conversation(caller, conversation_id)}, 202)


async def runs_cancel(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/runs/cancel`: everything of the organisation; needs the scope `admin`."""
    return Answer({"cancelled": await runs.cancel_organization(caller)}, 202)


def conversations(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`GET /api/conversations`: the latest first."""
    caller.require("conversations:read")
    rows, cursor = newest(access.conversations(caller), page_of(request), by="last_message_at")
    listed = [conversation_object(row) for row in rows]
    return Answer({"conversations": listed, "nextCursor": cursor})


def create_conversation(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/conversations`: 201."""
    caller.require("conversations:write")
    body = _given(request)
    check_client_id("id", body.id)
    return Answer(
        conversation_object(access.create_conversation(caller, body.id, body.title or "")), 201
    )


def conversation(request: HttpRequest, caller: Caller, conversation_id: str) -> HttpResponse:
    """`GET /api/conversations/{id}`."""
    caller.require("conversations:read")
    return Answer(conversation_object(access.conversation(caller, conversation_id)))


def change_conversation(request: HttpRequest, caller: Caller, conversation_id: str) -> HttpResponse:
    """`PATCH /api/conversations/{id}`: its title."""
    caller.require("conversations:write")
    found = access.conversation(caller, conversation_id)
    if (title := _given(request).title) is not None:
        found.title = title
        found.save(update_fields=["title"])
    return Answer(conversation_object(found))


def rate(request: HttpRequest, caller: Caller, message_id: str) -> HttpResponse:
    """`PUT /api/messages/{id}/feedback`: what the reader thinks; null takes it back."""
    caller.require("conversations:write")
    feedback = read(_feedback, request)
    comment = feedback.comment or ""
    if comment:
        check_text("comment", comment)
    message = access.message(caller, message_id, "assistant")
    message.rating = feedback.rating or ""
    message.comment = comment if feedback.rating else ""
    message.save(update_fields=["rating", "comment"])
    return Answer(visibility_of(caller).message(shown(message)))


async def erase_conversation(
    request: HttpRequest, caller: Caller, conversation_id: str
) -> HttpResponse:
    """`DELETE /api/conversations/{id}`: 204."""
    caller.require("conversations:write")
    await runs.erase(await database_step(access.conversation, caller, conversation_id))
    return HttpResponse(status=204)


async def erase_agent(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`DELETE /api/agents/{id}`: 204; with its conversations, after what still runs has ended, so
    that whoever watches it sees its end."""
    await runs.stop(await database_step(_running, request, caller))
    await runs.forget(await database_step(_remove_agent, request, caller))
    return HttpResponse(status=204)


def _running(request: HttpRequest, caller: Caller) -> list[Run]:
    agents.removable(request, caller)
    return [run for run in access.followable_runs(caller) if run.status not in FINAL]


@transaction.atomic
def _remove_agent(request: HttpRequest, caller: Caller) -> list[Run]:
    orphans = access.followable_runs(caller)
    agents.remove(request, caller)
    return orphans


def _given(request: HttpRequest) -> ConversationFields:
    body = read(_fields, request)
    if body.title:
        check_text("title", body.title)
    return body
