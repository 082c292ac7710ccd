"""`settings/audit/`: who changed what, from where, before and after."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from agents.api.organization.audit import filter_of
from auditing.access import Filter, events
from auditing.watching import WATCHED
from console.members import Member, for_members
from core.http import newest, page_of
from engine.errors import ClawError

NAMES = ("q", "action", "from", "to")
SUBJECTS = sorted(noun for noun, _ in WATCHED.values())


@require_safe
@for_members("admin")
def index(request: HttpRequest, member: Member) -> HttpResponse:
    """The newest first; what is not understood filters nothing."""
    mine = member.organization.id
    try:
        wanted = filter_of(request, mine)
    except ClawError:
        wanted = Filter()
    rows, cursor = newest(events(mine, wanted), page_of(request))
    asked = {name: request.GET[name] for name in NAMES if request.GET.get(name)}
    context = {
        "section": "audit",
        "events": [(row, _changes(row.before, row.after)) for row in rows],
        "cursor": cursor,
        "asked": asked,
        "first": asked.get("from", ""),
        "last": asked.get("to", ""),
        "query": urlencode(asked),
        "subjects": SUBJECTS,
    }
    return render(request, "console/settings/audit.html", context)


def _changes(
    before: dict[str, Any] | None, after: dict[str, Any] | None
) -> list[tuple[str, Any, Any]]:
    """Each field with what it was and what it is; of a new thing only what says something."""
    old, new = before or {}, after or {}
    names = [name for name in {**old, **new} if old.get(name) or new.get(name)]
    return [(name, old.get(name), new.get(name)) for name in names]
