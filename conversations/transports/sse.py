"""Server-Sent Events: start a run and stream it, or attach to one, or to a conversation."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from accounts.http import flag, number
from agents import tickets
from agents.caller import Caller
from agents.tickets import Ticket
from conversations import runs
from conversations.limits import doors
from conversations.models import Run
from conversations.transports.http import caller_of, named, require_token, visibility_of
from conversations.transports.streams import (
    ConversationStream,
    RunStream,
    StreamResponse,
    stream_response,
)
from engine.errors import invalid
from wire import sse
from wire.native import ChatRequest, Options, check_chat, parse_chat
from wire.parse import too_large
from wire.view import View

NO_OPTIONS = Options()


async def chat_stream(request: HttpRequest, slug: str | None = None) -> HttpResponseBase:
    """`POST /api/chat/stream` with a chat body or `?message=`; GET for EventSource and curl.

    With a `Last-Event-ID` it resumes that run and starts none: real clients send the same request
    again. With `runId` or `conversationId` instead of a message it attaches."""
    if request.headers.get("last-event-id") or _attaches(request):
        return await _attach(request, slug)
    chat = read_chat(request)
    caller = await caller_of(request, slug, chat.agent_id)
    return await start_stream(caller, chat, view_of(request, caller, chat.options))


async def start_stream(
    caller: Caller, chat: ChatRequest, view: View, *, ticket: Ticket | None = None
) -> HttpResponseBase:
    """Start a run and stream it; `ticket` has started it then. Nothing is started for a stream that
    has no place."""
    slots = await doors.take_stream(caller, caller.require_agent().id)
    try:
        await doors.count_message(caller)
        accepted = await runs.start(caller, chat)
        if ticket is not None:
            await tickets.note_opened(ticket, accepted.run.pk)
        await runs.check_kept(accepted.run)
    except BaseException:  # also if the client leaves meanwhile
        await doors.release(*slots)
        raise
    cancels = accepted.new and accepted.run.on_disconnect == "cancel"
    stream = RunStream(accepted.run, 0, view, caller=caller, cancels=cancels)
    return StreamResponse(stream, *slots)


async def run_events(request: HttpRequest, caller: Caller, run_id: str) -> HttpResponseBase:
    """`GET /api/runs/{id}/events`: from the first event, or after the position given."""
    run = await runs.find(caller, run_id)
    return await resume_run(request, caller, run, view_of(request, caller))


async def conversation_stream(
    request: HttpRequest, caller: Caller, conversation_id: str, view: View
) -> HttpResponseBase:
    """Everything that happens in a conversation: the rest of the run that `Last-Event-ID` names,
    else the active run, then every later one. It stays open and never answers 204."""
    arrivals = await runs.arrivals(caller, conversation_id)
    rest = None
    if event_id := request.headers.get("last-event-id"):
        run_id, after = sse.parse_event_id("Last-Event-ID", event_id)
        run = await runs.find(caller, run_id)
        if run.conversation_id != arrivals.conversation.pk:
            raise invalid("Last-Event-ID", "This is a position of another conversation.")
        await runs.check_position(run, after)
        rest = run, after
        arrivals.position = run.user_message_id
    stream = ConversationStream(arrivals, view, caller=caller, rest=rest)
    return await stream_response(caller, arrivals.conversation.agent_id, stream)


def read_chat(request: HttpRequest) -> ChatRequest:
    """The chat request of a body or, as in `curl -N '...?message=Hello'`, of the query string."""
    require_token(request)
    if request.body:
        chat = parse_chat(request.body, message_bytes=runs.max_message_bytes())
        return named(request, chat)
    query = request.GET
    if "message" not in query:
        raise invalid("message", "Send a message: as JSON body or as query parameter.")
    limit = runs.max_message_bytes()
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


def view_of(request: HttpRequest, caller: Caller, options: Options = NO_OPTIONS) -> View:
    """What this response shows, and how: as its body or its query string asks."""
    asked = options | Options(flag(request, "merge"), flag(request, "deltas"))
    return View(visibility_of(caller, deltas=asked.deltas), merge=asked.merge)


def _attaches(request: HttpRequest) -> bool:
    if request.body or "message" in request.GET:
        return False
    return "runId" in request.GET or "conversationId" in request.GET


async def _attach(request: HttpRequest, slug: str | None) -> HttpResponseBase:
    require_token(request)
    options = NO_OPTIONS
    if request.body:
        options = parse_chat(request.body, message_bytes=runs.max_message_bytes()).options
    caller = await caller_of(request, slug, request.GET.get("agentId"))
    view = view_of(request, caller, options)
    if "conversationId" in request.GET and _attaches(request):
        return await conversation_stream(request, caller, request.GET["conversationId"], view)
    if request.headers.get("last-event-id"):
        return await resume(request, caller, view)
    run = await runs.find(caller, request.GET["runId"])
    return await resume_run(request, caller, run, view)


async def resume_run(
    request: HttpRequest, caller: Caller, run: Run, view: View
) -> HttpResponseBase:
    """The run from its first event, or after the position that the request names."""
    return await _resume(caller, run, _position(request, run), view)


def _position(request: HttpRequest, run: Run) -> int:
    """`Last-Event-ID` wins over `lastSeq`. Raises `invalid_message` for another run's id."""
    if event_id := request.headers.get("last-event-id"):
        run_id, after = sse.parse_event_id("Last-Event-ID", event_id)
        if run_id != run.pk:
            raise invalid("Last-Event-ID", "This is a position of another run.")
        return after
    return number(request, "lastSeq", 0) or 0


async def resume(request: HttpRequest, caller: Caller, view: View) -> HttpResponseBase:
    """The run that `Last-Event-ID` names, from there: the same request again starts nothing."""
    run_id, after = sse.parse_event_id("Last-Event-ID", request.headers["last-event-id"])
    return await _resume(caller, await runs.find(caller, run_id), after, view)


async def _resume(caller: Caller, run: Run, after: int, view: View) -> HttpResponseBase:
    if await runs.check_position(run, after):
        return HttpResponse(status=204)  # nothing will ever follow: an EventSource then stops
    stream = RunStream(run, after, view, caller=caller)
    return await stream_response(caller, run.agent_id, stream)
