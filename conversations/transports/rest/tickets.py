"""`/api/stream-tickets`, and the event streams that a ticket opens."""

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from agents.auth import tickets, visitors
from agents.auth.tickets import Ticket
from agents.caller import Caller
from agents.config import no_such_agent
from agents.public import visited
from conversations.process.services import services_of
from conversations.runs.find import find_conversation, find_run
from conversations.transports import admission
from conversations.transports.http import caller_of, named, require_credential
from conversations.transports.identify import address, client_address
from conversations.transports.sse import command_center
from conversations.transports.sse import views as sse
from conversations.transports.sse.encoding import encoding_of
from core.database import database_step
from core.http import Answer, read
from engine.errors import ClawError
from wire.encoder import Encoding
from wire.native import ChatRequest, size_of
from wire.objects import tickets as wire
from wire.objects.tickets import NewTicket
from wire.parse import too_large

_asked = msgspec.json.Decoder(NewTicket)


async def create(request: HttpRequest, slug: str | None = None) -> Answer:
    """`POST /api/stream-tickets`: 201, of what the caller may see now."""
    require_credential(request)
    body = read(_asked, request)
    limit = settings.CLAW_MAX_MESSAGE_BYTES
    beside = size_of(body.tools, body.context)
    if body.message is not None and len(request.body) > limit + beside:
        raise too_large(limit)
    body.check()
    chat = body.chat and named(request, body.chat)
    caller = await caller_of(request, slug, body.agent_id)
    here = address(request.scope, request.get_host(), slug)
    page = visitors.page_of(request.headers.get("origin"), here)
    subject = msgspec.to_builtins(chat or body)
    agent_id, path = None, "/api/command-center/stream"
    if body.command_center:
        await command_center.watch(caller, body.agent_ids, body.event_types)
    else:
        agent = await visited.find([await _agent(caller, body, chat)])
        if agent is None:
            raise no_such_agent()
        agent_id, path = agent.config.id, f"/a/{agent.config.slug}/api/chat/stream"
    token, expires_at = await database_step(
        tickets.make, caller, agent_id, None if caller.principal.trusted else page, subject
    )
    url = f"{here.site}{path}?ticket={token}"
    answer = Answer(wire.Ticket(ticket=token, url=url, expires_at=expires_at), 201)
    answer["Cache-Control"] = "no-store"
    return answer


async def chat_stream(request: HttpRequest, slug: str | None = None) -> HttpResponseBase:
    """`GET /api/chat/stream`: with `?ticket=` the one stream that it is for, else as its caller
    says."""
    token = request.GET.get("ticket")
    if token is None:
        return await sse.chat_stream(request, slug)
    caller, ticket = await _redeem(request, slug, token)
    encoding = encoding_of(request, caller, of_ticket(ticket).options)
    return await _stream(request, caller, ticket, encoding)


async def watch_stream(request: HttpRequest, slug: str | None = None) -> HttpResponseBase:
    """`GET /api/command-center/stream`, with `?ticket=` or as its caller says."""
    token = request.GET.get("ticket")
    if token is None:
        caller = await caller_of(request, slug, request.GET.get("agentId"))
        watch = await command_center.watch_of(request, caller)
        return await command_center.stream(request, caller, watch)
    caller, ticket = await _redeem(request, slug, token)
    body = of_ticket(ticket)
    if not body.command_center:
        raise _of_another_stream()
    watch = await command_center.watch(caller, body.agent_ids, body.event_types)
    await tickets.note_opened(ticket)
    return await command_center.stream(request, caller, watch)


async def _redeem(request: HttpRequest, slug: str | None, token: str) -> tuple[Caller, Ticket]:
    """The maker of a ticket that still opens something, and the ticket."""
    limits = services_of(request.scope).limits
    caller, ticket = await admission.redeem(
        limits,
        token,
        address=address(request.scope, request.get_host(), slug),
        origin=request.headers.get("origin"),
        client=client_address(request.scope),
    )
    request.origin_allowed |= caller.readable  # see clawsite.http.cors
    await admission.count_request(limits, caller)
    if not (ticket.fresh or request.headers.get("last-event-id")):
        raise ClawError("token_expired", "This ticket has expired.")
    return caller, ticket


async def _agent(caller: Caller, body: NewTicket, chat: ChatRequest | None) -> str:
    """The id of the agent that the ticket is for; the objects that it names must be the caller's.

    Raises `run_not_found`, `conversation_not_found`, `forbidden`, `invalid_message`."""
    if body.run_id is not None:
        return (await find_run(caller, body.run_id)).agent_id
    if chat is None:
        caller.principal.require("conversations:read")
        return (await find_conversation(caller, body.conversation_id or "")).agent_id
    caller.principal.require("chat")
    return caller.require_agent().id


async def _stream(
    request: HttpRequest, caller: Caller, ticket: Ticket, encoding: Encoding
) -> HttpResponseBase:
    body = of_ticket(ticket)
    if body.command_center:
        raise _of_another_stream()
    if run_id := ticket.run_id or body.run_id:
        run = await find_run(caller, run_id)
        await tickets.note_opened(ticket, ticket.run_id)
        return await sse.resume_run(request, caller, run, encoding)
    if request.headers.get("last-event-id") and not ticket.opened:
        raise ClawError("run_not_found", "This ticket has opened nothing yet.")
    if (chat := asked(ticket)) is not None:
        services = services_of(request.scope)
        return await sse.start_stream(services, caller, chat, encoding, ticket=ticket)
    await tickets.note_opened(ticket)
    return await sse.conversation_stream(request, caller, body.conversation_id or "", encoding)


def _of_another_stream() -> ClawError:
    return ClawError("forbidden", "This ticket is for another stream.")


def asked(ticket: Ticket) -> ChatRequest | None:
    """The message of the ticket, if it has one, under a name of its own: it is asked once."""
    chat = of_ticket(ticket).chat
    if chat is None:
        return None
    return msgspec.structs.replace(chat, client_message_id=chat.client_message_id or ticket.name)


def of_ticket(ticket: Ticket) -> NewTicket:
    """The subject of the ticket, as its maker said it."""
    return msgspec.convert(ticket.subject, NewTicket)
