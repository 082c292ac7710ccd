"""Writes events of the audit log, in the transaction of what they tell of."""

from typing import Any

from auditing.actors import Actor, present
from auditing.models import AuditEvent


def record(
    organization_id: str,
    action: str,
    *,
    subject_id: str = "",
    subject_name: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    by: Actor | None = None,
) -> None:
    """Note that somebody did something: the present actor, or `by`. Synchronous."""
    actor = by or present()
    AuditEvent.objects.create(
        organization_id=organization_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name[:254],
        address=actor.address[:45],
        action=action,
        subject_id=subject_id[:160],
        subject_name=subject_name[:254],
        before=before,
        after=after,
    )
