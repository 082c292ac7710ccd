"""`agents/<slug>/connect/`: how programs and pages ask the agent, filled in."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from agents import access as agent_access
from agents.public.addresses import api_url, site_url
from console import access
from console.agents.standing import standing
from console.members import Member, for_members


@require_safe
@for_members("agents:read")
def show(request: HttpRequest, member: Member, slug: str) -> HttpResponse:
    """Examples with the agent's real address."""
    caller = member.asking(slug)
    agent = agent_access.agent_of(caller)
    context = standing(agent, "agent_connect") | {
        "api_url": api_url(agent.slug),
        "agent_url": f"{site_url()}/a/{agent.slug}",
        "embed_url": f"{site_url()}{static('claw/embed.js')}",
        "seen": access.has_answered_a_key(caller),
    }
    return render(request, "console/agents/agent_connect.html", context)


@require_safe
@for_members("agents:read")
def seen(request: HttpRequest, member: Member, slug: str) -> HttpResponse:
    """Whether a program has asked the agent with a key: the page asks until one has."""
    return JsonResponse({"seen": access.has_answered_a_key(member.asking(slug))})
