"""REST: conversations of the organisation are searched, exported and shared."""

from collections.abc import AsyncIterator
from datetime import date

import msgspec
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from agents.caller import Caller
from agents.public.addresses import site_url
from auditing.recording import record
from conversations.history import access, sharing
from conversations.history.access import MAX_QUERY, WHO, Search, found
from conversations.history.export import EXPORTS, Export
from conversations.history.page import next_messages
from conversations.models import Conversation
from conversations.rendering import render_conversation, render_readable
from conversations.transports.http import visibility_of
from conversations.transports.rest.parameters import AGENT, DAY, TEXT
from core.database import database_step
from core.http import PAGE, Answer, newest, page_of, read
from engine.errors import invalid
from wire.description.openapi import Csv, Markdown, Operation, Parameter
from wire.objects.conversations import Conversation as Described
from wire.objects.conversations import ConversationExport, ConversationPage, NewShare, Share
from wire.visibility import Visibility

_new_share = msgspec.json.Decoder(NewShare)


def index(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`GET /api/conversations`: the latest first."""
    caller.principal.require("conversations:read")
    search = _search(request, caller)
    rows = found(access.readable(caller).select_related("share"), search)
    shown, cursor = newest(rows, page_of(request), by="last_message_at")
    listed = [_shown(caller, row) for row in shown]
    return Answer(ConversationPage(conversations=listed, next_cursor=cursor))


def show(request: HttpRequest, caller: Caller, conversation_id: str) -> HttpResponse:
    """`GET /api/conversations/{id}`."""
    caller.principal.require("conversations:read")
    return Answer(_shown(caller, access.readable_conversation(caller, conversation_id)))


async def export(
    request: HttpRequest, caller: Caller, conversation_id: str
) -> StreamingHttpResponse:
    """`GET /api/conversations/{id}/export?format=`: a file with all of its messages."""
    caller.principal.require("conversations:read")
    ending = request.GET.get("format", "json")
    if ending not in EXPORTS:
        raise invalid("format", f"This is one of: {', '.join(EXPORTS)}.")
    conversation = await database_step(_with_agent, caller, conversation_id)
    await database_step(
        record,
        conversation.organization_id,
        "conversation.exported",
        subject_id=conversation.pk,
        after={"format": ending},
    )
    name, form = f"{conversation.pk}.{ending}", EXPORTS[ending]()
    return StreamingHttpResponse(
        _pieces(conversation, form, visibility_of(caller)),
        content_type=f"{form.media_type}; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


def share(request: HttpRequest, caller: Caller, conversation_id: str) -> Answer:
    """`POST /api/conversations/{id}/share`: 201, with the page's address in `url`."""
    caller.principal.require("conversations:write")
    seconds = read(_new_share, request).expires_in_seconds
    row, token = sharing.share(caller, conversation_id, seconds)
    url = f"{site_url()}/shared/{token}/"
    return Answer(Share(expires_at=row.expires_at), 201, secret={"url": url})


def unshare(request: HttpRequest, caller: Caller, conversation_id: str) -> HttpResponse:
    """`DELETE /api/conversations/{id}/share`: 204, also for one that is not shared."""
    sharing.withdraw(caller, conversation_id)
    return HttpResponse(status=204)


async def _pieces(
    conversation: Conversation, form: Export, visibility: Visibility
) -> AsyncIterator[str]:
    yield form.begin(conversation)
    position: int | None = 0
    while position is not None:
        messages, position = await database_step(
            next_messages, conversation, position, visibility, None
        )
        yield form.add(messages)
    yield form.end()


def _with_agent(caller: Caller, conversation_id: str) -> Conversation:
    conversation = access.readable_conversation(caller, conversation_id)
    _ = conversation.agent  # loaded here: an export names it
    return conversation


def _shown(caller: Caller, row: Conversation) -> Described:
    if not access.reads_everything(caller.principal):
        return render_conversation(row)
    return render_readable(row, caller.principal.owner)


def _search(request: HttpRequest, caller: Caller) -> Search:
    given = request.GET
    by, visitor, q = given.get("by", ""), given.get("visitor", ""), given.get("q", "")
    if by and by not in WHO:
        raise invalid("by", f"This is one of: {', '.join(WHO)}.")
    if (by or visitor) and not access.reads_everything(caller.principal):
        caller.principal.require("admin")
    if len(q) > MAX_QUERY:
        raise invalid("q", f"A search has at most {MAX_QUERY} characters.")
    if "\0" in visitor:
        raise invalid("visitor", "This is no visitor's id.")
    first, last = _day(request, "from"), _day(request, "to")
    return Search(q=q.strip(), visitor=visitor, by=by, first=first, last=last)


def _day(request: HttpRequest, name: str) -> date | None:
    given = request.GET.get(name)
    try:
        found = date.fromisoformat(given) if given else None
    except ValueError:
        found = date.min
    if found is not None and not 2000 <= found.year < 3000:  # days are added to it
        raise invalid(name, "This is a day such as 2026-11-20.")
    return found


SEARCH = (
    Parameter(
        name="q",
        schema={"type": "string", "maxLength": MAX_QUERY},
        description="All of them are words, or beginnings of words, of one message or the title.",
    ),
    Parameter(name="visitor", schema=TEXT, description="Only of this visitor; needs `admin`."),
    Parameter(
        name="by", schema={"enum": list(WHO)}, description="Only asked by such; needs `admin`."
    ),
    Parameter(name="from", schema=DAY, description="Going on at this day (UTC) or later."),
    Parameter(name="to", schema=DAY, description="Going on at this day or earlier."),
)

OPERATIONS = (
    Operation(
        "GET",
        "conversations",
        index,
        name="listConversations",
        summary="The conversations, the latest first: one's own, or all of the organisation",
        scope="conversations:read",
        parameters=(*PAGE, *SEARCH, AGENT),
        answers={200: (ConversationPage,)},
        errors=("conversation_not_found",),
    ),
    Operation(
        "GET",
        "conversations/<conversation_id>",
        show,
        name="getConversation",
        summary="One conversation",
        scope="conversations:read",
        parameters=(AGENT,),
        answers={200: (Described,)},
        errors=("conversation_not_found",),
    ),
    Operation(
        "GET",
        "conversations/<conversation_id>/export",
        export,
        name="exportConversation",
        summary="A file with all of its messages",
        scope="conversations:read",
        parameters=(
            Parameter(
                name="format",
                schema={"enum": list(EXPORTS), "default": "json"},
                description="Its kind.",
            ),
            AGENT,
        ),
        answers={200: (ConversationExport, Csv, Markdown)},
        errors=("conversation_not_found",),
    ),
    Operation(
        "POST",
        "conversations/<conversation_id>/share",
        share,
        name="shareConversation",
        summary="Let anybody with its address read it, up to now; `url` is shown this once",
        scope="conversations:write",
        body=NewShare,
        body_required=False,
        parameters=(AGENT,),
        answers={201: (Share,)},
        errors=("conversation_not_found",),
    ),
    Operation(
        "DELETE",
        "conversations/<conversation_id>/share",
        unshare,
        name="unshareConversation",
        summary="Let nobody read the shared page any more",
        scope="conversations:write",
        parameters=(AGENT,),
        answers={204: ()},
        errors=("conversation_not_found",),
    ),
)
