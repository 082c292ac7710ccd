"""Copies of an agent, and putting it away."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from agents import access
from agents.api import lifecycle
from console.members import Member, for_members
from core.http import refusal
from engine.errors import ClawError


@require_POST
@for_members("agents:write")
def duplicate(request: HttpRequest, member: Member, slug: str) -> HttpResponse:
    """`agents/<slug>/duplicate/`: on to the copy."""
    caller = member.asking(slug)
    try:
        made = lifecycle.copy(member.caller, access.agent_of(caller))
    except (ClawError, ValidationError) as error:
        problem = refusal(error) if isinstance(error, ValidationError) else error
        messages.error(request, problem.message)
        return redirect(member.address("agent_limits", slug))
    return redirect(member.address("agent", made.slug))


@require_POST
@for_members("agents:write")
@transaction.atomic
def archive(request: HttpRequest, member: Member, slug: str) -> HttpResponse:
    """`agents/<slug>/archive/`: the agent answers nobody; or, with `restore`, again."""
    agent = access.agent_of(member.asking(slug), lock=True)
    lifecycle.shelve(agent, archived="restore" not in request.POST)
    return redirect(member.address("agent_limits", slug))
