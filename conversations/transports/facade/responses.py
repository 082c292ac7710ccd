"""OpenAI Responses: `/v1/responses`."""

import asyncio
from contextlib import aclosing, suppress
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from msgspec.structs import replace

from agents.caller import Caller
from conversations import access
from conversations.history.page import page_of_messages
from conversations.models import Run
from conversations.process.services import services_of
from conversations.runs.find import stored_run
from conversations.runs.positions import check_kept
from conversations.runs.start import start_run
from conversations.transports import admission
from conversations.transports.asking import ask
from conversations.transports.facade.caller import caller_for, instructed, limited
from conversations.transports.facade.continuation import chat_of
from conversations.transports.facade.response import begun, encoding_of, read_response
from conversations.transports.facade.uploads import with_files
from conversations.transports.http import named, require_credential
from conversations.transports.sse.streams import RunStream, stream_response
from conversations.transports.sse.views import open_run, streamed
from core.database import database_step
from core.http import Answer, Page, flag, number
from engine.errors import invalid
from engine.log.base import Log, LogError
from wire.encoders.responses import ResponseEvents
from wire.facade.responses.objects import (
    DeletedResponse,
    InputItems,
    InputMessage,
    InputText,
    OutputText,
    run_id_of,
)
from wire.facade.responses.request import ResponseRequest, parse_response
from wire.objects.conversations import Message
from wire.visibility import EVERYTHING

CANCEL_SECONDS = 5.0
"""How long a request to cancel waits for the end, which comes within milliseconds."""
MAX_ITEMS, DEFAULT_ITEMS = 100, 20
"""Items of input on a page."""


async def create(request: HttpRequest, slug: str | None = None) -> HttpResponseBase:
    """`POST /v1/responses`: the response when it is done, or its stream, or at once if it is made
    in the background."""
    require_credential(request)
    asked = parse_response(request.body)
    caller = await caller_for(request, slug, asked.model)
    asked.check()
    leaving = "continue" if asked.background else ResponseEvents.on_disconnect
    sent = await with_files(caller, await chat_of(caller, asked), len(request.body))
    chat = replace(named(request, sent), on_disconnect=leaving)
    caller = limited(instructed(caller, asked.all_instructions), asked.max_output_tokens)
    services, foreign = services_of(request.scope), _foreign(asked)
    if asked.stream:
        accepted, slots = await open_run(services, caller, chat, foreign=foreign)
        return streamed(services, caller, accepted, encoding_of(caller, accepted.run), slots)
    if asked.background:
        await admission.count_message(services.limits, caller)
        accepted = await start_run(services, caller, chat, foreign)
        return Answer(begun(accepted.run))
    run, _ = await ask(services, caller, chat, foreign)
    return Answer(await read_response(services.log, caller, run))


async def show(request: HttpRequest, caller: Caller, response_id: str) -> HttpResponseBase:
    """`GET /v1/responses/{id}`: as it stands or, with `?stream=true`, its events behind number
    `starting_after`."""
    services = services_of(request.scope)
    run = await _find(caller, response_id)
    if not flag(request, "stream"):
        return Answer(await read_response(services.log, caller, run))
    known = number(request, "starting_after")
    await check_kept(services.log, run)
    encoding = encoding_of(caller, run, -1 if known is None else known)
    stream = RunStream(services, run, 0, encoding, caller=caller)
    return await stream_response(services.limits, caller, run.agent_id, stream)


async def cancel(request: HttpRequest, caller: Caller, response_id: str) -> Answer:
    """`POST /v1/responses/{id}/cancel`: the response as it ends; idempotent."""
    services = services_of(request.scope)
    run = await _find(caller, response_id)
    await services.dispatcher.cancel(run)
    await _end_of(services.log, run)
    return Answer(await read_response(services.log, caller, await stored_run(run) or run))


async def hide(request: HttpRequest, caller: Caller, response_id: str) -> Answer:
    """`DELETE /v1/responses/{id}`: it is not shown any more; its conversation stays."""
    run = await _find(caller, response_id)
    await database_step(access.hide_run, run)
    return Answer(DeletedResponse(response_id))


def input_items(request: HttpRequest, caller: Caller, response_id: str) -> Answer:
    """`GET /v1/responses/{id}/input_items`: what the agent was given, the newest first."""
    caller.principal.require("chat")
    run = access.run_shown(caller, run_id_of(response_id))
    if request.GET.get("order", "desc") != "desc":
        raise invalid("order", "The newest come first: leave it out.")
    limit = number(request, "limit", DEFAULT_ITEMS) or 0
    if not 1 <= limit <= MAX_ITEMS:
        raise invalid("limit", f"The limit is 1 to {MAX_ITEMS}.")
    page = Page(before=request.GET.get("after", run.message.public_id), limit=limit)
    shown = page_of_messages(run.conversation, page, EVERYTHING)
    items = [_item(message) for message in reversed(shown.messages)]
    first, last = (items[0].id, items[-1].id) if items else (None, None)
    return Answer(InputItems("list", items, first, last, shown.next_cursor is not None))


async def _find(caller: Caller, response_id: str) -> Run:
    caller.principal.require("chat")
    return await database_step(access.run_shown, caller, run_id_of(response_id))


async def _end_of(log: Log, run: Run) -> None:
    """Wait for the end of a run, for a while."""
    with suppress(TimeoutError, LogError):
        last = await log.last(run.pk)
        async with asyncio.timeout(CANCEL_SECONDS):
            async with aclosing(log.follow(run.pk, last.seq if last else 0)) as batches:
                async for _ in batches:
                    pass


def _foreign(asked: ResponseRequest) -> dict[str, Any]:
    """The fields that are kept with the run, to be shown again."""
    kept = {
        "hands_over": True,
        "background": bool(asked.background),
        "instructions": asked.instructions,
        "max_output_tokens": asked.max_output_tokens,
        "metadata": asked.metadata or {},
        "previous_response_id": asked.previous_response_id,
        "store": asked.stored,
    }
    return {name: value for name, value in kept.items() if value is not None}


def _item(message: Message) -> InputMessage:
    text = OutputText if message.role == "assistant" else InputText
    return InputMessage(message.id, "completed", message.role, [text(message.content)])
