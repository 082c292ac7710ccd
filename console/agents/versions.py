"""The versions of an agent: publishing the draft, and going back."""

from collections.abc import Callable, Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import BaseForm, Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from agents import access
from agents.api import agents
from agents.api import versions as api
from agents.models import Agent
from agents.versions import access as rows
from agents.versions.access import store_draft
from console.agents.differences import differences
from console.agents.forms import PublishForm, VisitorVersionForm
from console.agents.standing import standing
from console.forms import report
from console.members import Member, for_members
from core.http import newest, page_of
from engine.errors import ClawError

form_methods = require_http_methods(["GET", "HEAD", "POST"])
MAX_CHOICES = 100
"""Versions that visitors may be given here; by the API any."""


@form_methods
@for_members("agents:read", changing="agents:write")
@transaction.atomic
def index(request: HttpRequest, member: Member, slug: str) -> HttpResponse:
    """`agents/<slug>/versions/`: the newest first, and the one that visitors have."""
    caller = member.asking(slug)
    agent = access.agent_of(caller, lock=request.method == "POST")
    choices = rows.versions_of(agent).order_by("-number")[:MAX_CHOICES]
    form = VisitorVersionForm(request.POST or None, agent=agent, versions=list(choices))
    if form.is_valid() and _done(
        form, lambda: agents.alter(caller, access.agent_of(caller), form.cleaned_data)
    ):
        return redirect(f"{request.path}?saved=1")
    found, cursor = newest(rows.versions_of(agent), page_of(request), by="number")
    context = {"versions": found, "cursor": cursor, "form": form}
    return _page(request, agent, "versions", context)


@form_methods
@for_members("agents:read", changing="agents:write")
@transaction.atomic
def show(request: HttpRequest, member: Member, slug: str, number: int) -> HttpResponse:
    """`agents/<slug>/versions/<number>/`: what is different from the published one; and publishing
    it."""
    caller = member.asking(slug)
    agent = access.agent_of(caller, lock=request.method == "POST")
    row = rows.version_of(agent, number)
    form = Form(request.POST or None)
    action = "agent.rolled_back" if row.published_at else "agent.published"
    if form.is_valid() and _done(
        form, lambda: api.put(caller, access.agent_of(caller), row, action)
    ):
        return redirect(f"{member.address('agent_versions', slug)}?saved=1")
    changes = api.compare(api.at(agent, agent.version), row.configuration)
    context = {"row": row, "differences": differences(changes), "form": form}
    return _page(request, agent, "version", context)


@form_methods
@for_members("agents:read", changing="agents:write")
@transaction.atomic
def publish(request: HttpRequest, member: Member, slug: str) -> HttpResponse:
    """`agents/<slug>/publish/`: the changes of the draft, to publish or to discard."""
    caller = member.asking(slug)
    agent = access.agent_of(caller, lock=request.method == "POST")
    form = PublishForm(request.POST or None)
    if request.method == "POST" and "discard" in request.POST:
        store_draft(agent, {})
        return redirect(member.address("agent", slug))
    if form.is_valid() and _done(
        form,
        lambda: api.publish_draft(caller, access.agent_of(caller), form.cleaned_data["note"]),
    ):
        return redirect(f"{member.address('agent_versions', slug)}?saved=1")
    changes = api.compare(api.at(agent, agent.version), api.at(agent, "draft"))
    context = {"differences": differences(changes), "form": form}
    return _page(request, agent, "publish", context)


def _done(form: BaseForm, step: Callable[[], object]) -> bool:
    """Whether the step has succeeded; else the form says why not."""
    try:
        with transaction.atomic():
            step()
    except (ClawError, ValidationError) as error:
        report(form, error)
        return False
    return True


def _page(
    request: HttpRequest, agent: Agent, page: str, context: Mapping[str, object]
) -> HttpResponse:
    return render(
        request, f"console/agents/{page}.html", {**standing(agent, "agent_versions"), **context}
    )
