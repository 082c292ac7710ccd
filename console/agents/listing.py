"""`/console/<org>/agents/`: the agents, and what they did lately."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from agents.access import agents_listed
from console import access
from console.agents.sparklines import sparklines
from console.members import Member, for_members
from core.http import flag, newest, page_of


@require_safe
@for_members("agents:read")
def index(request: HttpRequest, member: Member) -> HttpResponse:
    """The newest first; `q` looks for a part of a name or slug, `archived` shows the others."""
    q = request.GET.get("q", "").strip()
    archived = flag(request, "archived")
    listed = agents_listed(member.caller, archived=archived)
    rows, cursor = newest(access.found(listed, q), page_of(request))
    ids = [agent.id for agent in rows]
    activity, sparks = access.activity(ids), sparklines(member.organization.id, ids)
    context = {
        "section": "agents",
        "q": q,
        "archived": archived,
        "cursor": cursor,
        "agents": [(agent, activity.get(agent.id), sparks[agent.id]) for agent in rows],
    }
    return render(request, "console/agents/list.html", context)
