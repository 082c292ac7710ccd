"""Invitations without a mail."""

from accounts import members
from accounts.members import Manager
from accounts.models import Invitation, Organization


def invited(
    organization: Organization, email: str, role: str, *, by_owner: bool = True
) -> tuple[Invitation, str]:
    """An invitation that can be accepted, and its code."""
    by = Manager(organization.id, by_owner)
    invitation, code = members.new_invitation(by, email, role)
    members.store_invitation(invitation)
    return invitation, code
