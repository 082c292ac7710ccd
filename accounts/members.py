"""The members of an organisation: invitations, roles, and their end.

An owner alone makes and unmakes owners, and an organisation always has one."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts import access, mail
from accounts.models import Invitation, Membership, User
from engine.errors import ClawError, invalid

LIFETIME = timedelta(days=7)
MAX_AN_HOUR, MAX_TO_ONE_AN_HOUR = 200, 5
"""Invitations of one organisation, and mails to one address: our mails flood nobody."""


@dataclass(frozen=True)
class Manager:
    """The organisation whose members somebody manages, and whether that is an owner."""

    organization_id: str
    is_owner: bool


def new_invitation(by: Manager, email: str, role: str) -> tuple[Invitation, str]:
    """An invitation of this address, which is not stored yet; and its code, of which only the
    digest is kept. Raises `forbidden`, `invalid_message` (a member already), `rate_limited`,
    ValidationError."""
    _check_owner(by, role)
    code = secrets.token_urlsafe(24)
    invitation = Invitation(
        organization=access.organization(by.organization_id),
        email=email.lower(),
        role=role,
        digest=digest(code),
        expires_at=timezone.now() + LIFETIME,
    )
    invitation.full_clean(validate_constraints=False)  # an earlier one makes room for it
    if access.is_member(invitation.organization_id, invitation.email):
        raise invalid("email", "This person is a member already.")
    mail.count(invitation.organization_id, at_most=MAX_AN_HOUR)
    mail.count(invitation.email, at_most=MAX_TO_ONE_AN_HOUR)
    return invitation, code


@transaction.atomic
def store_invitation(invitation: Invitation) -> None:
    """Let an invitation be accepted, in place of an earlier one of the same address."""
    access.replace_invitation(invitation)


@transaction.atomic
def accept(code: str, user: User) -> Membership:
    """Make the person whose address was invited a member. Raises `not_found` for a code that is
    unknown, over, or somebody else's."""
    invitation = access.invitation_of(digest(code))
    if invitation is None or invitation.email != user.email:
        raise ClawError("not_found", "There is no such invitation for your address.")
    membership = access.ensure_membership(invitation, user)
    invitation.delete()
    return membership


@transaction.atomic
def change_role(by: Manager, member_id: str, role: str) -> Membership:
    """Give a member another role. Raises `not_found`, `forbidden`, `in_use` for the last owner,
    ValidationError."""
    member = access.lock_member(by.organization_id, member_id)
    _check_owner(by, role, member.role)
    if role != Membership.Role.OWNER:
        _keep_an_owner(member)
    member.role = role
    member.clean_fields(exclude={"organization", "user"})
    member.save(update_fields=["role"])
    return member


@transaction.atomic
def remove(by: Manager, member_id: str) -> None:
    """End a membership. Raises what `change_role` raises."""
    member = access.lock_member(by.organization_id, member_id)
    _check_owner(by, member.role)
    _keep_an_owner(member)
    member.delete()


def digest(code: str) -> str:
    """The digest of a code, which is kept in its place."""
    return hashlib.sha256(code.encode()).hexdigest()


def _check_owner(by: Manager, *roles: str) -> None:
    if Membership.Role.OWNER in roles and not by.is_owner:
        raise ClawError("forbidden", "Only an owner makes and unmakes owners.")


def _keep_an_owner(member: Membership) -> None:
    if member.role == Membership.Role.OWNER and access.count_owners(member.organization_id) == 1:
        raise ClawError("in_use", "An organisation keeps an owner: name another one first.")
