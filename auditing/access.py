"""The only way to the rows of the audit log: an organisation's own."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet

from auditing.models import AuditEvent


class Filter(NamedTuple):
    """The filter of a search; an empty text, or None, matches anything. `action` may be a
    whole one or the part before its dot, `q` a part of a name or a whole id."""

    q: str = ""
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None


def events(organization_id: str, wanted: Filter) -> QuerySet[AuditEvent]:
    """The events of an organisation."""
    rows = AuditEvent.objects.filter(organization=organization_id)
    if wanted.action:
        rows = rows.filter(Q(action=wanted.action) | Q(action__startswith=f"{wanted.action}."))
    if wanted.q:
        named = Q(actor_name__icontains=wanted.q) | Q(subject_name__icontains=wanted.q)
        rows = rows.filter(named | Q(actor_id=wanted.q) | Q(subject_id=wanted.q))
    if wanted.since:
        rows = rows.filter(created_at__gte=wanted.since)
    if wanted.until:
        rows = rows.filter(created_at__lt=wanted.until)
    return rows
