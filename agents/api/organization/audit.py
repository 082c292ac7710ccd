"""`/api/audit`: who did what in the organisation, as JSON or as a table."""

import json
from datetime import date, datetime, time, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.access import organization
from agents.api.organization import objects
from agents.api.organization.managers import manager
from agents.caller import Caller
from auditing.access import Filter, events
from auditing.models import AuditEvent
from core.http import Answer, csv_of, newest, page_of, utc
from engine.errors import invalid
from wire.description.openapi import Parameter

MAX_EXPORTED = 10_000
"""Events of one table: narrow it by days for more."""
MAX_LENGTH = 160
TEXT: dict[str, Any] = {"type": "string", "maxLength": MAX_LENGTH}
DAY = {"type": "string", "format": "date"}
FILTER = (
    Parameter(name="q", schema=TEXT, description="A part of a name, or an id."),
    Parameter(
        name="action", schema=TEXT, description="An action such as `key.created`, or only `key`."
    ),
    Parameter(name="from", schema=DAY, description="The first day, of the organisation's zone."),
    Parameter(name="to", schema=DAY, description="The last day."),
)
COLUMNS = (
    *("createdAt", "actorKind", "actorId", "actorName", "address"),
    *("action", "subjectId", "subjectName", "before", "after"),
)


def index(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`GET /api/audit`: the newest first; with `Accept: text/csv` as many as fit a table."""
    organization_id = manager(caller).organization_id
    rows = events(organization_id, filter_of(request, organization_id))
    if request.accepts("text/csv") and not request.accepts("application/json"):
        return _table(list(rows.order_by("-created_at", "-id")[:MAX_EXPORTED]))
    found, cursor = newest(rows, page_of(request))
    return Answer(objects.AuditPage(events=list(map(_shown, found)), next_cursor=cursor))


def filter_of(request: HttpRequest, organization_id: str) -> Filter:
    """The filter in the query string. Raises `invalid_message`."""
    zone = organization(organization_id).zone
    first, last = _day(request, "from"), _day(request, "to")
    texts = {name: request.GET.get(name, "").strip() for name in ("q", "action")}
    for name, text in texts.items():
        if "\0" in text or len(text) > MAX_LENGTH:
            raise invalid(name, "This cannot be looked for.")
    return Filter(
        **texts,
        since=datetime.combine(first, time(), zone) if first else None,
        until=datetime.combine(last + timedelta(1), time(), zone) if last else None,
    )


def _day(request: HttpRequest, name: str) -> date | None:
    given = request.GET.get(name)
    try:
        found = date.fromisoformat(given) if given else None
    except ValueError:
        raise invalid(name, "This is a day such as 2026-11-20.") from None
    if found is not None and not 2000 <= found.year < 3000:
        raise invalid(name, "This is a day such as 2026-11-20.")
    return found


def _table(rows: list[AuditEvent]) -> HttpResponse:
    lines = [COLUMNS, *map(_line, rows)]
    answer = HttpResponse(csv_of(lines), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return answer


def _line(row: AuditEvent) -> tuple[Any, ...]:
    values = [None if each is None else json.dumps(each) for each in (row.before, row.after)]
    actor = (row.actor_kind, row.actor_id, row.actor_name, row.address)
    return (utc(row.created_at), *actor, row.action, row.subject_id, row.subject_name, *values)


def _shown(row: AuditEvent) -> objects.AuditEvent:
    return objects.AuditEvent(
        id=row.id,
        created_at=row.created_at,
        actor=objects.Actor(
            kind=row.actor_kind, id=row.actor_id, name=row.actor_name, address=row.address
        ),
        action=row.action,
        subject_id=row.subject_id,
        subject_name=row.subject_name,
        before=row.before,
        after=row.after,
    )
