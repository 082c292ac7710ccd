"""`usage/`: what the organisation's runs have used, as numbers, charts, a table and a file."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from console.members import Member, for_members
from console.usage.charts import charts
from console.usage.forms import GROUPS, UsageForm
from console.usage.numbers import money, short_time, whole
from conversations.usage.reading import Reading
from metering.objects import Usage, UsageRow, rows_of, usage_of
from metering.report import Days


@dataclass(frozen=True)
class Number:
    """A number of the period, and how much it differs from the period before, in per cent."""

    title: str
    value: str
    change: int | None


@require_safe
@for_members("usage:read")
def show(request: HttpRequest, member: Member) -> HttpResponse:
    """The last days up to today, compared with as many days before."""
    form = UsageForm(request.GET)
    form.is_valid()
    days = _days(member, form.length)
    by_day = _read(member, days, "day")
    table = by_day if form.group == "day" else _read(member, days, form.group)
    before = usage_of(_read(member, days.before(), "day").report.total)
    total = usage_of(by_day.report.total)
    context = {
        "section": "usage",
        "form": form,
        "days": days,
        "now": timezone.now().astimezone(days.zone),
        "numbers": _numbers(total, before),
        "total": total,
        "charts": charts(_every_day(days, rows_of(by_day.report, {}))),
        "by_day": _named(by_day, "day"),
        "rows": _named(table, form.group),
        "group": form.group,
        "group_label": dict(GROUPS)[form.group],
        "query": urlencode({"from": days.first, "to": days.last, "groupBy": form.group}),
    }
    return render(request, "console/usage/usage.html", context)


def _days(member: Member, length: int) -> Days:
    zone = member.organization.zone
    today = timezone.now().astimezone(zone).date()
    return Days(today - timedelta(days=length - 1), today, zone)


def _read(member: Member, days: Days, group: str) -> Reading:
    reading = Reading(member.caller.principal, days, [group])
    while reading.step():
        pass
    return reading


def _every_day(days: Days, rows: list[UsageRow]) -> list[tuple[Any, UsageRow | None]]:
    """All days, also those on which nothing happened."""
    found = {row.day: row for row in rows}
    length = (days.last - days.first).days + 1
    return [(day, found.get(day)) for day in (days.first + timedelta(n) for n in range(length))]


def _numbers(now: Usage, before: Usage) -> list[Number]:
    return [
        Number("Tokens", whole(now.total_tokens), _change(now.total_tokens, before.total_tokens)),
        Number("Cost", money(now.cost), _change(now.cost, before.cost)),
        Number("Runs", whole(now.runs), _change(now.runs, before.runs)),
        Number("Errors", whole(now.errors), _change(now.errors, before.errors)),
        Number(
            "First token, median",
            short_time(now.ttft_p50_ms),
            _change(now.ttft_p50_ms, before.ttft_p50_ms),
        ),
        Number(
            "Tokens a second, median",
            whole(now.tokens_per_second_p50),
            _change(now.tokens_per_second_p50, before.tokens_per_second_p50),
        ),
    ]


def _change(now: float | None, before: float | None) -> int | None:
    return round((now - before) / before * 100) if now is not None and before else None


def _named(reading: Reading, group: str) -> list[tuple[str, UsageRow]]:
    return [(_name(row, group), row) for row in rows_of(reading.report, reading.names)]


def _name(row: UsageRow, group: str) -> str:
    match group:
        case "agent":
            return row.agent_name or f"{row.agent_id} (deleted)"
        case "key":
            return row.key_name or (f"{row.key_id} (deleted)" if row.key_id else "Without a key")
        case "model":
            return f"{row.provider} · {row.model}"
    return f"{row.day:%d %b %Y}"
