"""A key's successor: nobody is locked out while its users change over."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from agents import access
from agents.auth import keys
from agents.models import ApiKey
from engine.errors import invalid

OVERLAP = timedelta(days=1)


@transaction.atomic
def rotate(key: ApiKey, *, overlap: timedelta = OVERLAP) -> tuple[ApiKey, str]:
    """A new key that is what `key` is, which ends after `overlap`: the new row and its token. The
    row is read again and locked: a successor does not undo a revocation of this moment.

    Raises `invalid_message` for a key that has ended."""
    access.lock_key(key)
    if keys.ended(key.revoked_at, key.expires_at):
        raise invalid("keyId", "This key has ended: make a new one.")
    successor = ApiKey(
        organization_id=key.organization_id,
        name=key.name,
        every_agent=key.every_agent,
        scopes=key.scopes,
        allowed_origins=key.allowed_origins,
        requests_per_minute=key.requests_per_minute,
        monthly_budget=key.monthly_budget,
        expires_at=key.expires_at,
        pinned=key.pinned,
        rotated_from=key,
        lineage=key.lineage,
    )
    token = keys.store(successor, key.agents.filter(organization=key.organization_id))
    last_moment = timezone.now() + overlap
    key.expires_at = min(key.expires_at or last_moment, last_moment)
    key.save(update_fields=["expires_at"])
    return successor, token
