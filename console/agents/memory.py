"""`agents/<slug>/memory/`: what the agent remembers of a visitor."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from agents import access as agents
from console.agents.standing import standing
from console.members import Member, for_members
from core.http import newest, page_of
from memories import access

MAX_VISITOR = 160


@require_http_methods(["GET", "HEAD", "POST"])
@for_members("agents:read", changing="agents:write")
def show(request: HttpRequest, member: Member, slug: str) -> HttpResponse:
    """The memories of the visitor whom `visitor` names, the newest first. A POST deletes the one
    that `memory` names, or all of them."""
    caller = member.asking(slug)
    agent = agents.agent_of(caller)
    visitor = request.GET.get("visitor", "").strip()[:MAX_VISITOR].replace("\0", "")
    rows = access.of_visitor(caller, visitor)
    if request.method == "POST":
        if "memory" in request.POST:
            access.delete(caller, request.POST["memory"].replace("\0", ""))
        else:
            rows.delete()
        return redirect(f"{request.path}?{urlencode({'visitor': visitor})}")
    found, cursor = newest(rows, page_of(request)) if visitor else ([], None)
    context = {"visitor": visitor, "memories": found, "cursor": cursor}
    return render(request, "console/agents/memory.html", standing(agent, "agent_memory") | context)
