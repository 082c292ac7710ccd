"""Making an agent, and the tabs on which it is changed."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import secrets_of
from agents import access
from agents.api import agents
from agents.caller import Caller
from agents.models import Agent
from console.agents.forms import AgentForm, InstructionsForm, LimitsForm, ModelForm, NewAgentForm
from console.forms import report
from console.members import Member, for_members
from engine.errors import ClawError

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@form_methods
@for_members("agents:write")
def create(request: HttpRequest, member: Member) -> HttpResponse:
    """`agents/new/`: a name and a template; the rest has defaults."""
    form = NewAgentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            agent = agents.make(member.caller, form.given())
        except (ClawError, ValidationError) as error:
            report(form, error)
        else:
            return redirect(member.address("agent", agent.slug))
    return render(request, "console/agents/new.html", {"section": "agents", "form": form})


@form_methods
@for_members("agents:read", changing="agents:write")
def instructions(request: HttpRequest, member: Member, slug: str) -> HttpResponse:
    """`agents/<slug>/`: what it is told, beside a chat that tries it."""
    return _edit(request, member, slug, "agent", InstructionsForm)


@form_methods
@for_members("agents:read", changing="agents:write")
def model(request: HttpRequest, member: Member, slug: str) -> HttpResponse:
    """`agents/<slug>/model/`: which model answers, and with what."""
    secrets = secrets_of(member.organization.id).order_by("name")
    return _edit(request, member, slug, "agent_model", ModelForm, secrets=secrets)


@form_methods
@for_members("agents:read", changing="agents:write")
def limits(request: HttpRequest, member: Member, slug: str) -> HttpResponse:
    """`agents/<slug>/limits/`: who may talk to it and how much; and its end."""
    return _edit(request, member, slug, "agent_limits", LimitsForm)


@transaction.atomic
def _edit(
    request: HttpRequest,
    member: Member,
    slug: str,
    page: str,
    kind: type[AgentForm],
    **options: Any,
) -> HttpResponse:
    caller = member.asking(slug)
    agent = access.agent_of(caller, lock=request.method == "POST")
    form = kind(request.POST or None, instance=agent, **options)
    if request.method == "POST" and form.is_valid() and _stored(form, caller):
        return redirect(f"{request.path}?saved=1")
    context = {
        "section": "agents",
        "tab": page,
        "form": form,
        "agent": Agent(slug=slug, id=agent.id, name=form.initial.get("name", agent.name)),
    }
    return render(request, f"console/agents/{page}.html", context)


def _stored(form: BaseForm, caller: Caller) -> bool:
    try:
        with transaction.atomic():  # read again: the form has changed its own copy of the row
            agents.alter(caller, access.agent_of(caller), form.given())
    except (ClawError, ValidationError) as error:
        report(form, error)
        return False
    return True
