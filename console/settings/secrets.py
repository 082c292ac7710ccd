"""`settings/secrets/`: the names of what the organisation entrusts to us. Its forms are those of
`/api/secrets`: no page ever has a value."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import secrets_of
from console.members import Member, for_members
from core.http import newest, page_of


@require_safe
@for_members("admin")
def index(request: HttpRequest, member: Member) -> HttpResponse:
    """The newest first."""
    rows, cursor = newest(secrets_of(member.organization.id), page_of(request))
    context = {"section": "secrets", "secrets": rows, "cursor": cursor}
    return render(request, "console/settings/secrets.html", context)
