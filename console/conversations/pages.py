"""`conversations/`: everything that was said to the organisation's agents."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from agents.access import agents_listed
from agents.auth.visitors import visitor_of
from console import access
from console.conversations.askers import names_of
from console.conversations.forms import SearchForm
from console.members import Member, for_members
from conversations.access import READING
from conversations.access import run as run_of
from conversations.history.access import (
    WHO,
    conversation_of_organization,
    found,
    readable,
    share_of,
)
from conversations.history.page import page_of_messages
from conversations.models import Conversation
from core.http import newest, page_of
from wire.visibility import EVERYTHING

MAX_AGENTS = 200  # to choose from
FORMATS = [("md", "Markdown"), ("csv", "Table (CSV)"), ("json", "JSON")]


@require_safe
@for_members("conversations:read")
def index(request: HttpRequest, member: Member) -> HttpResponse:
    """The latest first; a search and filters are in the address."""
    agents = list(agents_listed(member.caller).order_by("name")[:MAX_AGENTS])
    form = SearchForm(request.GET, agents=agents)
    search = form.search()
    caller = member.asking(form.slug) if form.slug else member.caller
    rows = access.described(found(readable(caller), search))
    shown, cursor = newest(rows, page_of(request), by="last_message_at")
    asked = {name: value for name, value in form.data.items() if name in form.fields and value}
    names = names_of(member.organization.id, (row.owner for row in shown))
    context = {
        "section": "conversations",
        "form": form,
        "asked": urlencode(asked),
        "asked_from": search.first and search.first.isoformat(),
        "asked_to": search.last and search.last.isoformat(),
        "conversations": [(row, names[row.owner]) for row in shown],
        "cursor": cursor,
    }
    return render(request, "console/conversations/list.html", context)


@require_safe
@for_members("conversations:read")
def show(request: HttpRequest, member: Member, conversation_id: str) -> HttpResponse:
    """One conversation, with what each answer took: thinking, tools, tokens, time."""
    conversation = conversation_of_organization(member.caller, conversation_id)
    page = page_of_messages(conversation, page_of(request), EVERYTHING)
    run_ids = {message.run_id for message in page.messages if message.run_id}
    runs = access.runs_by_id(member.caller.principal, run_ids)
    context = {
        "section": "conversations",
        "conversation": conversation,
        "share": share_of(conversation),
        "exports": FORMATS,
        "same_owner": _by(conversation),
        "asker": names_of(member.organization.id, [conversation.owner])[conversation.owner],
        "said": [
            (message, runs.get(message.run_id or "") if message.role == "assistant" else None)
            for message in page.messages
        ],
        "earlier": page.next_cursor,
    }
    return render(request, "console/conversations/conversation.html", context)


@require_safe
@for_members("conversations:read")
def replay(request: HttpRequest, member: Member, run_id: str) -> HttpResponse:
    """`runs/<id>/`: a run event by event; the page reads the API by itself."""
    run = run_of(member.caller, run_id, *READING)
    context = {"section": "conversations", "run": run, "conversation": run.conversation}
    return render(request, "console/conversations/replay.html", context)


def _by(conversation: Conversation) -> str:
    """The query that finds all conversations of the one who asked."""
    visitor = visitor_of(conversation.owner)
    kind = next((kind for kind, begin in WHO.items() if conversation.owner.startswith(begin)), "")
    return "?" + urlencode({"visitor": visitor} if visitor else {"by": kind})
