"""Rows of identity secrets."""

from collections.abc import Collection

from django.utils import timezone

from agents.models import Agent, IdentitySecret


def identity_secret(agent: Agent) -> str | None:
    """The text of the agent's identity secret, if it has one."""
    found = identity_of(agent)
    return found and found.value


def identity_of(agent: Agent) -> IdentitySecret | None:
    """The row of the agent's identity secret, if it has one."""
    return IdentitySecret.objects.filter(agent=agent).first()


def store_identity_secret(agent: Agent, value: str, scopes: Collection[str]) -> None:
    """Give the agent this identity secret, and no other. Its users have these scopes."""
    fields = {"value": value, "scopes": sorted(scopes), "created_at": timezone.now()}
    IdentitySecret.objects.update_or_create(agent=agent, defaults=fields)


def erase_identity_secret(agent: Agent) -> None:
    """Leave the agent without one."""
    IdentitySecret.objects.filter(agent=agent).delete()
