"""`GET /api/usage`: what an organisation's runs have used."""

from datetime import UTC, date, datetime, time, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from agents.caller import Caller
from conversations import access
from conversations.usage import totals
from core.database import database_step
from core.http import Answer
from engine.errors import invalid
from wire.objects.management import UsageReport

DAYS = 30
MAX_DAYS = 366


async def report(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`?from=&to=`: days in UTC, both included, without them the last 30; `?groupBy=`."""
    last = _day(request, "to", timezone.now().date())
    first = _day(request, "from", last - timedelta(days=DAYS - 1))
    if not 0 <= (last - first).days < MAX_DAYS:
        raise invalid("from", f"Ask for 1 to {MAX_DAYS} days.")
    group = request.GET.get("groupBy", "day")
    if group not in totals.GROUPS:
        raise invalid("groupBy", f"Group by {', '.join(totals.GROUPS)}.")
    begin, end = _midnight(first), _midnight(last + timedelta(1))
    runs = access.runs_of_organization(caller.principal)
    tally = totals.Tally(group)
    place: datetime | None = begin
    while place is not None:
        rows, place = await database_step(totals.step, runs, group, place, end)
        tally.add(rows)
    found = UsageReport(
        from_=first, to=last, group_by=group, groups=tally.groups(), total=tally.total()
    )
    return Answer(found)


def _day(request: HttpRequest, name: str, default: date) -> date:
    given = request.GET.get(name)
    try:
        # Not at the edge of what a date can be: days are added and taken away.
        found = default if given is None else date.fromisoformat(given)
        return found if 2000 <= found.year < 3000 else _refuse(name)
    except ValueError:
        return _refuse(name)


def _refuse(name: str) -> date:
    raise invalid(name, "This is a day such as 2026-11-20.")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
