"""Server-Sent Events: start a run and stream it, or attach to one, or to a conversation."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from msgspec.structs import replace

from agents.auth import tickets
from agents.auth.tickets import Ticket
from agents.caller import Caller
from conversations.models import Run
from conversations.process.services import Services, services_of
from conversations.runs.find import find_arrivals, find_run
from conversations.runs.positions import check_kept, check_position
from conversations.runs.start import Accepted, start_run
from conversations.transports import admission
from conversations.transports.http import caller_of, named, require_credential
from conversations.transports.sse.encoding import NO_OPTIONS, encoding_of
from conversations.transports.sse.streams import (
    ConversationStream,
    RunStream,
    StreamResponse,
    stream_response,
)
from core.http import number
from engine.errors import invalid
from wire import sse
from wire.encoder import Encoding
from wire.native import ChatRequest, check_chat, parse_chat
from wire.parse import too_large


async def chat_stream(request: HttpRequest, slug: str | None = None) -> HttpResponseBase:
    """`POST /api/chat/stream` with a chat body or `?message=`; GET for EventSource and curl.

    With a `Last-Event-ID` it resumes that run and starts none: real clients send the same request
    again. With `runId` or `conversationId` instead of a message it attaches."""
    if request.headers.get("last-event-id") or _attaches(request):
        return await _attach(request, slug)
    chat = read_chat(request)
    caller = await caller_of(request, slug, chat.agent_id)
    encoding = encoding_of(request, caller, chat.options)
    return await start_stream(services_of(request.scope), caller, chat, encoding)


async def start_stream(
    services: Services,
    caller: Caller,
    chat: ChatRequest,
    encoding: Encoding,
    *,
    ticket: Ticket | None = None,
) -> HttpResponseBase:
    """Start a run and stream it; `ticket` has started it then."""
    if chat.on_disconnect is None:
        chat = replace(chat, on_disconnect=encoding.protocol.on_disconnect)
    accepted, slots = await open_run(services, caller, chat, ticket=ticket)
    return streamed(services, caller, accepted, encoding, slots)


async def open_run(
    services: Services,
    caller: Caller,
    chat: ChatRequest,
    *,
    ticket: Ticket | None = None,
    foreign: dict[str, Any] | None = None,
) -> tuple[Accepted, tuple[str, ...]]:
    """Start a run for a stream that has a place, and the slots of that place; without one nothing
    is started. The caller hands the slots to the response at once."""
    limits = services.limits
    slots = await admission.take_stream(limits, caller, caller.require_agent().id)
    try:
        await admission.count_message(limits, caller)
        accepted = await start_run(services, caller, chat, foreign)
        if ticket is not None:
            await tickets.note_opened(ticket, accepted.run.pk)
        await check_kept(services.log, accepted.run)
    except BaseException:  # also if the client leaves meanwhile
        await admission.release(limits, *slots)
        raise
    return accepted, slots


def streamed(
    services: Services,
    caller: Caller,
    accepted: Accepted,
    encoding: Encoding,
    slots: tuple[str, ...],
) -> StreamResponse:
    """The response that shows a run from its first event. It ends the run with itself, if it is the
    one that has started it and the run shall not outlive it."""
    run = accepted.run
    cancels = accepted.new and run.on_disconnect == "cancel"
    stream = RunStream(services, run, 0, encoding, caller=caller, cancels=cancels)
    return StreamResponse(stream, services.limits, *slots)


async def run_events(request: HttpRequest, caller: Caller, run_id: str) -> HttpResponseBase:
    """`GET /api/runs/{id}/events`: from the first event, or after the position given."""
    run = await find_run(caller, run_id)
    return await resume_run(request, caller, run, encoding_of(request, caller))


async def conversation_stream(
    request: HttpRequest, caller: Caller, conversation_id: str, encoding: Encoding
) -> HttpResponseBase:
    """Everything that happens in a conversation: the rest of the run that `Last-Event-ID` names,
    else the active run, then every later one. It stays open and never answers 204."""
    services = services_of(request.scope)
    arrivals = await find_arrivals(services, caller, conversation_id)
    rest = None
    if event_id := request.headers.get("last-event-id"):
        run_id, after = sse.parse_event_id("Last-Event-ID", event_id)
        run = await find_run(caller, run_id)
        if run.conversation_id != arrivals.conversation.pk:
            raise invalid("Last-Event-ID", "This is a position of another conversation.")
        await check_position(services.log, run, after)
        rest = run, after
        arrivals.position = run.user_message_id
    stream = ConversationStream(services, arrivals, encoding, caller=caller, rest=rest)
    return await stream_response(services.limits, caller, arrivals.conversation.agent_id, stream)


def read_chat(request: HttpRequest) -> ChatRequest:
    """The chat request of a body or, as in `curl -N '...?message=Hello'`, of the query string."""
    require_credential(request)
    if request.body:
        chat = parse_chat(request.body, message_bytes=settings.CLAW_MAX_MESSAGE_BYTES)
        return named(request, chat)
    query = request.GET
    if "message" not in query:
        raise invalid("message", "Send a message: as JSON body or as query parameter.")
    limit = settings.CLAW_MAX_MESSAGE_BYTES
    if len(query["message"].encode("utf-8", "surrogatepass")) > limit:
        raise too_large(limit)
    chat = check_chat(
        ChatRequest(
            message=query["message"],
            agent_id=query.get("agentId"),
            conversation_id=query.get("conversationId"),
            client_message_id=query.get("clientMessageId"),
        )
    )
    return named(request, chat)


def _attaches(request: HttpRequest) -> bool:
    if request.body or "message" in request.GET:
        return False
    return "runId" in request.GET or "conversationId" in request.GET


async def _attach(request: HttpRequest, slug: str | None) -> HttpResponseBase:
    require_credential(request)
    options = NO_OPTIONS
    if request.body:
        options = parse_chat(request.body, message_bytes=settings.CLAW_MAX_MESSAGE_BYTES).options
    caller = await caller_of(request, slug, request.GET.get("agentId"))
    encoding = encoding_of(request, caller, options)
    if "conversationId" in request.GET and _attaches(request):
        return await conversation_stream(request, caller, request.GET["conversationId"], encoding)
    if request.headers.get("last-event-id"):
        return await resume(request, caller, encoding)
    run = await find_run(caller, request.GET["runId"])
    return await resume_run(request, caller, run, encoding)


async def resume_run(
    request: HttpRequest, caller: Caller, run: Run, encoding: Encoding
) -> HttpResponseBase:
    """The run from its first event, or after the position that the request names."""
    services = services_of(request.scope)
    return await _resume(services, caller, run, _position(request, run), encoding)


def _position(request: HttpRequest, run: Run) -> int:
    """`Last-Event-ID` wins over `lastSeq`. Raises `invalid_message` for another run's id."""
    if event_id := request.headers.get("last-event-id"):
        run_id, after = sse.parse_event_id("Last-Event-ID", event_id)
        if run_id != run.pk:
            raise invalid("Last-Event-ID", "This is a position of another run.")
        return after
    return number(request, "lastSeq", 0) or 0


async def resume(request: HttpRequest, caller: Caller, encoding: Encoding) -> HttpResponseBase:
    """The run that `Last-Event-ID` names, from there: the same request again starts nothing."""
    run_id, after = sse.parse_event_id("Last-Event-ID", request.headers["last-event-id"])
    run = await find_run(caller, run_id)
    return await _resume(services_of(request.scope), caller, run, after, encoding)


async def _resume(
    services: Services, caller: Caller, run: Run, after: int, encoding: Encoding
) -> HttpResponseBase:
    if await check_position(services.log, run, after):
        return HttpResponse(status=204)  # nothing will ever follow: an EventSource then stops
    stream = RunStream(services, run, after, encoding, caller=caller)
    return await stream_response(services.limits, caller, run.agent_id, stream)
