"""`/api/members`: the people of an organisation and their roles."""

import msgspec
from django.http import HttpRequest, HttpResponse

from accounts import access, members
from accounts.models import Membership
from agents.api.organization import objects
from agents.api.organization.managers import manager
from agents.caller import Caller
from core.http import Answer, newest, page_of, read

_fields = msgspec.json.Decoder(objects.MemberFields)


def index(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /api/members`: the newest first."""
    rows, cursor = newest(access.members_of(manager(caller).organization_id), page_of(request))
    return Answer(objects.MemberPage(members=list(map(_shown, rows)), next_cursor=cursor))


def change(request: HttpRequest, caller: Caller, member_id: str) -> Answer:
    """`PATCH /api/members/{id}`: another role, at once for all that the person has open."""
    by = manager(caller)
    role = read(_fields, request).role
    return Answer(_shown(members.change_role(by, member_id, role)))


def remove(request: HttpRequest, caller: Caller, member_id: str) -> HttpResponse:
    """`DELETE /api/members/{id}`: 204; what the person has open is cut."""
    members.remove(manager(caller), member_id)
    return HttpResponse(status=204)


def _shown(row: Membership) -> objects.Member:
    return objects.Member(
        id=row.id,
        email=row.user.email,
        name=row.user.name,
        role=row.role,
        created_at=row.created_at,
        last_sign_in_at=row.user.last_login,
    )
