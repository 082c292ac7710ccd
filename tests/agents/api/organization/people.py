"""Callers who manage an organisation."""

from accounts.models import Membership, Organization, User
from agents.auth import keys
from agents.auth.members import principal_of
from agents.caller import Caller
from tests.agents.callers import caller_of


def member_of(organization: Organization, role: str) -> Caller:
    """A new member with this role, by session."""
    user = User.objects.create_user(f"{role}@{organization.slug}.example", "correct horse")
    membership = Membership.objects.create(organization=organization, user=user, role=role)
    return Caller(principal=principal_of(membership), agent=None)


def key_of(organization: Organization, *scopes: str, **fields: object) -> Caller:
    """A new key with these scopes, for every agent unless `fields` say otherwise."""
    return caller_of(keys.create_key(organization, name="m", scopes=list(scopes), **fields)[0])
