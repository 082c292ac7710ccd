"""`GET /api/usage`: what an organisation's runs have used, as JSON or CSV."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.access import organization
from agents.caller import Caller
from conversations.transports.rest.parameters import DAY
from conversations.usage.reading import Reading
from core.database import database_step
from core.http import Answer, csv_of
from engine.errors import invalid
from metering.objects import UsageReport, rows_of, table, usage_of
from metering.report import GROUPS, Days, TooManyRows
from wire.description.openapi import Csv, Operation, Parameter

DEFAULT_DAYS = 30
MAX_DAYS = 366


async def report(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`?from=&to=`: days of the organisation's time zone, both included, without them the last 30;
    `?groupBy=`: one or several of the groups, joined by commas."""
    caller.principal.require("usage:read")
    mine = await database_step(organization, caller.principal.organization_id)
    days = days_of(request, mine.zone)
    reading = Reading(caller.principal, days, groups_of(request))
    try:
        while await database_step(reading.step):
            pass
    except TooManyRows:
        raise invalid("groupBy", "Ask for fewer days or groups: these are too many rows.") from None
    if request.accepts("text/csv") and not request.accepts("application/json"):
        return csv_answer(reading)
    return Answer(shown(reading))


def days_of(request: HttpRequest, zone: ZoneInfo) -> Days:
    """The days that the query string names. Raises `invalid_message`."""
    last = _day(request, "to", timezone.now().astimezone(zone).date())
    first = _day(request, "from", last - timedelta(days=DEFAULT_DAYS - 1))
    if not 0 <= (last - first).days < MAX_DAYS:
        raise invalid("from", f"Ask for 1 to {MAX_DAYS} days.")
    return Days(first, last, zone)


def groups_of(request: HttpRequest) -> list[str]:
    """The groups that the query string names, each once. Raises `invalid_message`."""
    names = list(dict.fromkeys(request.GET.get("groupBy", "day").split(",")))
    if not set(names) <= set(GROUPS):
        raise invalid("groupBy", f"Group by {', '.join(GROUPS)}.")
    return names


def shown(reading: Reading) -> UsageReport:
    """A report that has been read."""
    of = reading.report
    return UsageReport(
        from_=of.days.first,
        to=of.days.last,
        time_zone=of.days.zone.key,
        as_of=timezone.now(),
        group_by=list(of.group_by),
        rows=rows_of(of, reading.names),
        total=usage_of(of.total),
    )


def csv_answer(reading: Reading) -> HttpResponse:
    """A report that has been read, as a file."""
    of = reading.report
    answer = HttpResponse(
        csv_of(table(rows_of(of, reading.names), of.group_by)),
        content_type="text/csv; charset=utf-8",
    )
    name = f"usage-{of.days.first}-{of.days.last}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


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


OPERATIONS = (
    Operation(
        "GET",
        "usage",
        report,
        name="reportUsage",
        summary="What the organisation's runs have used",
        scope="usage:read",
        parameters=(
            Parameter(
                name="from",
                schema=DAY,
                description="The first day, in the organisation's time zone.",
            ),
            Parameter(name="to", schema=DAY, description="The last day; default: today."),
            Parameter(
                name="groupBy",
                schema={"type": "string", "default": "day"},
                description=f"In which groups: of {', '.join(GROUPS)}, joined by commas.",
            ),
        ),
        answers={200: (UsageReport, Csv)},
    ),
)
