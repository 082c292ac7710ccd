"""The only way to the rows of organisations, members and secrets."""

from django.db import transaction

from accounts.models import Membership, Organization, Secret, User
from engine.errors import ClawError


def organization_of_operator(name: str) -> Organization:
    """Any organisation of this installation: for the operator's commands. Raises `not_found`."""
    organization = Organization.objects.filter(name=name).first()
    if organization is None:
        raise ClawError("not_found", f"There is no organisation “{name}”.")
    return organization


def owns_secret(organization_id: str, secret_id: str) -> bool:
    """Whether this is the id of one of the organisation's secrets."""
    return Secret.objects.filter(organization_id=organization_id, id=secret_id).exists()


def secret_value(organization_id: str, secret_id: str) -> str | None:
    """The text of an organisation's own secret; a foreign one is as unknown as a missing one."""
    return (
        Secret.objects.filter(organization_id=organization_id, id=secret_id)
        .values_list("value", flat=True)
        .first()
    )


@transaction.atomic
def ensure_organization(name: str) -> Organization:
    """The organisation of this name, made if there is none. Raises ValidationError.

    One that a command makes may use the operator's provider keys (CLAW_PLATFORM_CREDENTIALS)."""
    organization = Organization.objects.filter(name=name).first()
    if organization is None:
        organization = Organization(name=name, platform_credentials=True)
        organization.full_clean()
        organization.save()
    return organization


@transaction.atomic
def ensure_owner(organization: Organization, email: str) -> User:
    """Make the person with this address an owner, and known if they are not yet.

    A new person has no password until somebody sets one. Raises ValidationError."""
    user = User.objects.filter(email=email.lower()).first()
    if user is None:
        user = User(email=email)
        user.set_unusable_password()
        user.full_clean()
        user.save()
    Membership.objects.update_or_create(
        organization=organization, user=user, defaults={"role": Membership.Role.OWNER}
    )
    return user
