"""Making an agent, and the tabs on which it is changed."""

from collections.abc import Callable
from typing import Any, TypeAlias

from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import secrets_of
from agents import access
from agents.api import agents, drafts
from agents.caller import Caller
from agents.models import Agent
from agents.versions.access import drafted
from console.agents.forms import AgentForm, InstructionsForm, LimitsForm, ModelForm, NewAgentForm
from console.agents.standing import standing
from console.forms import report
from console.members import Member, for_members
from engine.errors import ClawError

Alter: TypeAlias = Callable[[Caller, Agent, dict[str, Any]], None]
OUTRUN = (
    "Somebody else has changed this agent meanwhile. What you typed is still here: saving it again"
    " puts it in place of theirs."
)
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
    """`agents/<slug>/`: the draft of what it is told, beside a chat that tries it."""
    return _edit(request, member, slug, "agent", InstructionsForm)


@form_methods
@for_members("agents:read", changing="agents:write")
def model(request: HttpRequest, member: Member, slug: str) -> HttpResponse:
    """`agents/<slug>/model/`: the draft of which model answers, and with what."""
    secrets = secrets_of(member.organization.id).order_by("name")
    return _edit(request, member, slug, "agent_model", ModelForm, secrets=secrets)


@form_methods
@for_members("agents:read", changing="agents:write")
def limits(request: HttpRequest, member: Member, slug: str) -> HttpResponse:
    """`agents/<slug>/limits/`: who may talk to it and how much; and its end."""
    return _edit(request, member, slug, "agent_limits", LimitsForm, alter=agents.alter)


@transaction.atomic
def _edit(
    request: HttpRequest,
    member: Member,
    slug: str,
    page: str,
    kind: type[AgentForm],
    alter: Alter = drafts.alter,
    **options: Any,
) -> HttpResponse:
    """A tab with a form: of the draft, unless `alter` changes the agent itself."""
    caller = member.asking(slug)
    agent = access.agent_of(caller, lock=request.method == "POST")
    etag = drafts.etag_of(agent)
    form = kind(request.POST or None, instance=drafted(agent), **options)
    if request.method == "POST" and request.POST.get("etag", etag) != etag:
        form.add_error(None, OUTRUN)
    if request.method == "POST" and form.is_valid() and _stored(form, caller, alter):
        return redirect(f"{request.path}?saved=1")
    context = standing(agent, page) | {
        "form": form,
        "etag": etag,
        "is_draft": alter is drafts.alter,
    }
    return render(request, f"console/agents/{page}.html", context)


def _stored(form: BaseForm, caller: Caller, alter: Alter) -> bool:
    try:
        with transaction.atomic():  # read again: the form has changed its own copy of the row
            alter(caller, access.agent_of(caller), form.given())
    except (ClawError, ValidationError) as error:
        report(form, error)
        return False
    return True
