"""API keys: made, given their tokens, ended."""

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import Organization
from agents.auth import key_format
from agents.models import Agent, ApiKey

ENDED = {
    "key_revoked": "This key has been revoked.",
    "token_expired": "This key has expired.",
}


def create_key(
    organization: Organization,
    *,
    name: str,
    agents: Sequence[Agent] = (),
    scopes: Sequence[str] | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Store a new key; returns its row and the key itself, which nobody can show again.

    It opens `agents`, or without any every agent of the organisation. Raises ValidationError."""
    key = ApiKey(organization=organization, name=name, every_agent=not agents)
    key.expires_at = expires_at
    if scopes is not None:
        key.scopes = list(scopes)
    return key, store(key, agents)


def store(key: ApiKey, agents: Sequence[Agent]) -> str:
    """Save a new row that opens `agents`; returns its token, which nobody can show again.

    Raises ValidationError."""
    if any(agent.organization_id != key.organization_id for agent in agents):
        raise ValidationError({"agents": "This organisation has no such agent."})
    token = issue(key)
    key.full_clean()
    with transaction.atomic():
        key.save()
        key.agents.set(agents)
    return token


def issue(key: ApiKey) -> str:
    """Give an unsaved row its token: returns it, keeps its digest and visible parts."""
    key.lineage = key.lineage or key.id
    token = key_format.generate()
    key.digest = key_format.digest(token)
    key.prefix, key.last_four = key_format.visible_parts(token)
    return token


def revoke(key: ApiKey) -> None:
    """End a key for good. Its open connections are cut at once, or by the sweep within half a
    second."""
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])


def ended(revoked_at: datetime | None, expires_at: datetime | None) -> str | None:
    """The error code of a key that opens nothing any more (one of `ENDED`), or None."""
    if revoked_at is not None:
        return "key_revoked"
    if expires_at is not None and expires_at <= timezone.now():
        return "token_expired"
    return None
