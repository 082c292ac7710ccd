"""`live/`: everything that runs in the organisation, as it happens; the page reads the command
center by itself."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from agents.access import agents_listed
from console.conversations.forms import WHO
from console.members import Member, for_members

MAX_AGENTS = 200  # to choose from


@require_safe
@for_members("monitor:read")
def show(request: HttpRequest, member: Member) -> HttpResponse:
    """The page with its filters, empty until the stream begins."""
    agents = agents_listed(member.caller).order_by("name")[:MAX_AGENTS]
    context = {"section": "live", "agents": agents, "who": WHO}
    return render(request, "console/live/live.html", context)
