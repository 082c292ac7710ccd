"""`/api/stream-tickets`, and the event stream that a ticket opens."""

import msgspec
from django.http import HttpRequest, HttpResponseBase

from accounts.database import database_step
from accounts.http import Answer, read
from agents import tickets, visited, visitors
from agents.authorize import not_found
from agents.caller import Caller
from agents.tickets import Ticket
from conversations import runs
from conversations.limits import doors
from conversations.transports import sse
from conversations.transports.http import caller_of, named, require_token
from conversations.transports.identify import address, client_address
from engine.errors import ClawError
from wire import tickets as wire
from wire.native import ChatRequest
from wire.parse import too_large
from wire.tickets import NewTicket
from wire.view import View

_asked = msgspec.json.Decoder(NewTicket)


async def create(request: HttpRequest, slug: str | None = None) -> Answer:
    """`POST /api/stream-tickets`: 201, of what the caller may see now."""
    require_token(request)
    body = read(_asked, request)
    if body.message is not None and len(request.body) > runs.max_message_bytes():
        raise too_large(runs.max_message_bytes())
    body.check()
    chat = body.chat and named(request, body.chat)
    caller = await caller_of(request, slug, body.agent_id)
    agent = await visited.find([await _agent(caller, body, chat)])
    if agent is None:
        raise not_found()
    here = address(request.scope, request.get_host(), slug)
    page = visitors.page(request.headers.get("origin"), here)
    subject = msgspec.to_builtins(chat or body)
    token, expires_at = await database_step(
        tickets.make, caller, agent.config.id, None if caller.trusted else page, subject
    )
    url = f"{here.site}/a/{agent.config.slug}/api/chat/stream?ticket={token}"
    answer = Answer(wire.Ticket(ticket=token, url=url, expires_at=expires_at), 201)
    answer["Cache-Control"] = "no-store"
    return answer


async def chat_stream(request: HttpRequest, slug: str | None = None) -> HttpResponseBase:
    """`GET /api/chat/stream`: with `?ticket=` the one stream that it is for, else as its caller
    says."""
    token = request.GET.get("ticket")
    if token is None:
        return await sse.chat_stream(request, slug)
    caller, ticket = await doors.redeem(
        token,
        address=address(request.scope, request.get_host(), slug),
        origin=request.headers.get("origin"),
        client=client_address(request.scope),
    )
    request.origin_allowed |= caller.origin_allowed  # see clawsite.cors
    await doors.count_request(caller)
    if not (ticket.fresh or request.headers.get("last-event-id")):
        raise ClawError("token_expired", "This ticket has expired.")
    view = sse.view_of(request, caller, of_ticket(ticket).options)
    return await _stream(request, caller, ticket, view)


async def _agent(caller: Caller, body: NewTicket, chat: ChatRequest | None) -> str:
    """The id of the agent that the ticket is for; what it names must be the caller's.

    Raises `run_not_found`, `conversation_not_found`, `forbidden`, `invalid_message`."""
    if body.run_id is not None:
        return (await runs.find(caller, body.run_id)).agent_id
    if chat is None:
        caller.require("conversations:read")
        return (await runs.conversation(caller, body.conversation_id or "")).agent_id
    caller.require("chat")
    return caller.require_agent().id


async def _stream(
    request: HttpRequest, caller: Caller, ticket: Ticket, view: View
) -> HttpResponseBase:
    body = of_ticket(ticket)
    if run_id := ticket.run_id or body.run_id:
        run = await runs.find(caller, run_id)
        await tickets.note_opened(ticket, ticket.run_id)
        return await sse.resume_run(request, caller, run, view)
    if request.headers.get("last-event-id") and not ticket.opened:
        raise ClawError("run_not_found", "This ticket has opened nothing yet.")
    if (chat := asked(ticket)) is not None:
        return await sse.start_stream(caller, chat, view, ticket=ticket)
    await tickets.note_opened(ticket)
    return await sse.conversation_stream(request, caller, body.conversation_id or "", view)


def asked(ticket: Ticket) -> ChatRequest | None:
    """What the ticket asks, if anything: under a name of its own, so that it is asked once."""
    chat = of_ticket(ticket).chat
    if chat is None:
        return None
    return msgspec.structs.replace(chat, client_message_id=chat.client_message_id or ticket.name)


def of_ticket(ticket: Ticket) -> NewTicket:
    """What the ticket is for, as its maker said it."""
    return msgspec.convert(ticket.subject, NewTicket)
