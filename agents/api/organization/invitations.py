"""`/api/invitations`: addresses that may join an organisation."""

import asyncio

import msgspec
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from accounts import access, mail, members, models
from agents.api.organization import objects
from agents.api.organization.managers import manager
from agents.caller import Caller
from agents.public.addresses import site_url
from core.database import database_step
from core.http import Answer, newest, page_of, read, refusal

_new = msgspec.json.Decoder(objects.NewInvitation)


def index(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /api/invitations`: those that can be accepted, the newest first."""
    open_ = access.invitations_of(manager(caller).organization_id)
    rows, cursor = newest(open_, page_of(request))
    return Answer(objects.InvitationPage(invitations=list(map(_shown, rows)), next_cursor=cursor))


async def create(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/invitations`: 201; the link goes to the address alone."""
    await database_step(manager, caller)
    body = read(_new, request)
    try:
        invitation = await invite(caller, body.email, body.role)
    except ValidationError as error:
        raise refusal(error) from None
    return Answer(_shown(invitation), 201)


async def invite(caller: Caller, email: str, role: str) -> models.Invitation:
    """Invite somebody by mail. The mail is sent first: where it cannot be, nobody is invited.

    Raises `forbidden`, `invalid_message`, `rate_limited`, `unavailable`, ValidationError."""
    invitation, code = await database_step(_new_invitation, caller, email, role)
    organization = invitation.organization
    text = f"You are invited to {organization} as {role}. Join here:\n\n{address_of(code)}\n"
    subject = f"Join {organization} on Clawsite"
    await asyncio.to_thread(mail.send, invitation.email, subject, text)
    await database_step(members.store_invitation, invitation)
    return invitation


def remove(request: HttpRequest, caller: Caller, invitation_id: str) -> HttpResponse:
    """`DELETE /api/invitations/{id}`: 204; its link leads nowhere any more."""
    access.withdraw_invitation(manager(caller).organization_id, invitation_id)
    return HttpResponse(status=204)


def address_of(code: str) -> str:
    """The page that accepts an invitation."""
    return f"{site_url()}/invitations/{code}/"


def _new_invitation(caller: Caller, email: str, role: str) -> tuple[models.Invitation, str]:
    return members.new_invitation(manager(caller), email, role)


def _shown(row: models.Invitation) -> objects.Invitation:
    return objects.Invitation(
        id=row.id,
        email=row.email,
        role=row.role,
        expires_at=row.expires_at,
        created_at=row.created_at,
    )
