"""`approvals/`: the tool calls that wait for somebody's decision, and what is always allowed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from approvals.access import given
from console.approvals.givers import names_of
from console.members import Member, for_members
from conversations import access
from core.http import newest, page_of


@require_safe
@for_members("runs:approve")
def index(request: HttpRequest, member: Member) -> HttpResponse:
    """The calls that can be decided now, the newest first."""
    rows = access.answerable(access.approvals(member.caller))
    rows = rows.select_related("run__conversation", "run__agent")
    calls, cursor = newest(rows, page_of(request), by="requested_at")
    context = {"section": "approvals", "tab": "approvals", "calls": calls, "cursor": cursor}
    return render(request, "console/approvals/waiting.html", context)


@require_safe
@for_members("runs:approve")
def standing(request: HttpRequest, member: Member) -> HttpResponse:
    """`approvals/always/`: the tools whose calls need not be asked about, the newest first."""
    rows = given(member.caller).select_related("agent", "conversation")
    rules, cursor = newest(rows, page_of(request))
    names = names_of(member.organization.id, rules)
    context = {
        "section": "approvals",
        "tab": "standing_approvals",
        "rules": [(rule, names[rule.by_kind, rule.by_id]) for rule in rules],
        "cursor": cursor,
    }
    return render(request, "console/approvals/standing.html", context)


def waiting(member: Member) -> int:
    """The number of calls that the member can decide about now."""
    return access.waiting(access.approvals(member.caller))
