"""The only way to the rows of organisations, members and secrets."""

from collections.abc import Collection, Hashable, Iterable
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Count, F, QuerySet, RestrictedError
from django.utils import timezone

from accounts.models import Invitation, LoginAttempts, Membership, Organization, Secret, User
from engine.errors import ClawError


def organization_of_operator(name: str) -> Organization:
    """Any organisation of this installation: for the operator's commands. Raises `not_found`."""
    organization = Organization.objects.filter(name=name).first()
    if organization is None:
        raise ClawError("not_found", f"There is no organisation “{name}”.")
    return organization


def organizations_of_operator() -> list[Any]:
    """Every organisation, the oldest first, with the `count` of its members: for the operator's
    commands."""
    rows = Organization.objects.annotate(count=Count("membership"))
    return list(rows.order_by("created_at", "id"))


def organization(organization_id: str) -> Organization:
    """The organisation with this id. Raises `not_found` once it is deleted."""
    found = Organization.objects.filter(id=organization_id).first()
    if found is None:
        raise ClawError("not_found", "There is no such organisation.")
    return found


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


def secret_values(organization_id: str, names: Collection[str]) -> dict[str, str]:
    """The texts of those of the organisation's secrets that have one of these names."""
    rows = Secret.objects.filter(organization_id=organization_id, name__in=names)
    return dict(rows.values_list("name", "value"))


def secrets_of(organization_id: str) -> QuerySet[Secret]:
    """The organisation's secrets, without their values."""
    return Secret.objects.filter(organization_id=organization_id).defer("value")


@transaction.atomic
def store_secret(organization_id: str, name: str, value: str) -> Secret:
    """Keep a value under this name, in place of the one before it."""
    fields = {"value": value}
    secret, _ = Secret.objects.update_or_create(
        organization_id=organization_id, name=name, defaults=fields
    )
    return secret


def erase_secret(organization_id: str, name: str) -> None:
    """Delete a secret. Raises `not_found`, and `in_use` while a model server, or the server of
    vectors, needs it."""
    # PostgreSQL refuses to look for a NUL.
    secret = None if "\0" in name else secrets_of(organization_id).filter(name=name).first()
    if secret is None:
        raise ClawError("not_found", "There is no such secret.")
    try:
        secret.delete()
    except RestrictedError:
        raise ClawError("in_use", "An agent or the server of vectors uses this secret.") from None


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
def found_organization(name: str, founder: User) -> Organization:
    """A new organisation of somebody who has signed up, and owns it. Raises ValidationError."""
    organization = Organization(name=name)
    organization.full_clean()
    organization.save()
    Membership.objects.create(organization=organization, user=founder, role=Membership.Role.OWNER)
    return organization


def name_is_taken(name: str) -> bool:
    """Whether an organisation has this name."""
    return Organization.objects.filter(name=name).exists()


def trust_address(user: User) -> None:
    """Ask nobody for a proof of the address under which an operator has made their account: only
    people who sign up themselves prove it, and those have an `EmailAddress` from then on."""
    if not EmailAddress.objects.filter(user=user).exists():
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)


@transaction.atomic
def ensure_member(
    organization: Organization, email: str, role: str = Membership.Role.OWNER
) -> User:
    """Give the person with this address this role, and make them known if they are not yet.

    A new person has no password until somebody sets one. Raises ValidationError."""
    user = User.objects.filter(email=email.lower()).first()
    if user is None:
        user = User(email=email)
        user.set_unusable_password()
        user.full_clean()
        user.save()
    Membership.objects.update_or_create(
        organization=organization, user=user, defaults={"role": role}
    )
    return user


def memberships_of(user: User) -> list[Membership]:
    """The person's memberships with their organisations, the oldest organisation first."""
    rows = Membership.objects.filter(user=user).select_related("organization")
    return list(rows.order_by("organization__created_at", "id"))


def membership_of(user: User, slug: str | None, last: str | None) -> Membership | None:
    """The person's membership in the organisation with this slug. Without a slug it is the one in
    the organisation with the id `last`, else their oldest one."""
    rows = Membership.objects.filter(user=user)
    if slug is not None:
        return None if "\0" in slug else rows.filter(organization__slug=slug).first()
    used = rows.filter(organization=last).first() if last is not None else None
    return used or rows.order_by("organization__created_at", "id").first()


def members_of(organization_id: str) -> QuerySet[Membership]:
    """The members of an organisation with their people."""
    return Membership.objects.filter(organization=organization_id).select_related("user")


def emails_of(organization_id: str, user_ids: Collection[str]) -> dict[str, str]:
    """The addresses of those of these people who belong to the organisation, by their ids."""
    rows = members_of(organization_id).filter(user__in=user_ids)
    return dict(rows.values_list("user_id", "user__email"))


def is_owner(organization_id: str, membership_id: str) -> bool:
    """Whether this is the membership of an owner of the organisation."""
    return members_of(organization_id).filter(id=membership_id, role=Membership.Role.OWNER).exists()


def is_member(organization_id: str, email: str) -> bool:
    """Whether the person with this address belongs to the organisation."""
    return Membership.objects.filter(organization=organization_id, user__email=email).exists()


def lock_member(organization_id: str, member_id: str) -> Membership:
    """One member, after all others are locked, so that two owners cannot leave at the same moment.
    Raises `not_found`."""
    rows = Membership.objects.select_for_update().filter(organization=organization_id)
    found = next((row for row in rows.order_by("id") if row.id == member_id), None)
    if found is None:
        raise ClawError("not_found", "There is no such member.")
    return found


def count_owners(organization_id: str) -> int:
    """The number of the organisation's owners."""
    owners = Membership.objects.filter(organization=organization_id, role=Membership.Role.OWNER)
    return owners.count()


def invitations_of(organization_id: str) -> QuerySet[Invitation]:
    """The invitations of an organisation that can still be accepted."""
    return Invitation.objects.filter(organization=organization_id, expires_at__gt=timezone.now())


def invitation_of(digest: str) -> Invitation | None:
    """The invitation whose code has this digest, unless it is over."""
    rows = Invitation.objects.filter(digest=digest, expires_at__gt=timezone.now())
    return rows.select_related("organization").first()


def replace_invitation(invitation: Invitation) -> None:
    """Store an invitation in place of an earlier one of the same address."""
    of = {"organization": invitation.organization, "email": invitation.email}
    Invitation.objects.filter(**of).delete()
    invitation.save()


def withdraw_invitation(organization_id: str, invitation_id: str) -> None:
    """Take an invitation of this organisation back. Raises `not_found`."""
    rows = Invitation.objects.filter(organization=organization_id, id=invitation_id)
    if not rows.delete()[0]:
        raise ClawError("not_found", "There is no such invitation.")


def purge_invitations() -> None:
    """Delete the invitations that are over."""
    Invitation.objects.filter(expires_at__lte=timezone.now()).delete()


def ensure_membership(invitation: Invitation, user: User) -> Membership:
    """The person's membership in the organisation that has invited them; a member keeps their
    role."""
    of = {"organization": invitation.organization, "user": user}
    membership, _ = Membership.objects.get_or_create(**of, defaults={"role": invitation.role})
    return membership


def membership_states(membership_ids: Iterable[str]) -> dict[str, Hashable]:
    """The version of each of these memberships; a membership that has ended is not in it."""
    rows = Membership.objects.filter(id__in=list(membership_ids)).select_related("user")
    return {row.id: membership_version(row) for row in rows}


def membership_version(membership: Membership) -> Hashable:
    """A value that differs whenever something differs that the member may do, or that keeps them
    signed in."""
    user = membership.user
    return membership.role, user.is_active, user.password


def organizations_of(user_id: str) -> list[str]:
    """The ids of the organisations to which this person belongs."""
    return list(Membership.objects.filter(user=user_id).values_list("organization_id", flat=True))


def user_id_of(email: str) -> str | None:
    """The id of the person with this address."""
    return User.objects.filter(email=email.lower()).values_list("id", flat=True).first()


def count_attempt(name: str, *, at_most: int) -> bool:
    """Count one more attempt to log in under this name; False, and not counted, beyond `at_most`.

    Exact however many ask at the same moment, in all processes."""
    LoginAttempts.objects.bulk_create([LoginAttempts(name=name)], ignore_conflicts=True)
    room = LoginAttempts.objects.filter(name=name, count__lt=at_most)
    return room.update(count=F("count") + 1) == 1


def attempts(names: Collection[str]) -> list[int]:
    """The number of login attempts for each of these names, where there are any."""
    return list(LoginAttempts.objects.filter(name__in=names).values_list("count", flat=True))


def forget_attempt(names: Collection[str]) -> None:
    """Take one attempt under each of these names back."""
    counted = LoginAttempts.objects.filter(name__in=names, count__gt=0)
    counted.update(count=F("count") - 1)


def forget_attempts(*, until: datetime) -> None:
    """Forget what began until this moment."""
    LoginAttempts.objects.filter(began_at__lte=until).delete()
