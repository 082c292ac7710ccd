"""`alerts/`: open alerts, the rules, and the history."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from agents import access as agents
from alerts.access import rules as access
from alerts.mails import amount
from alerts.metrics import Metric
from alerts.models import Alert, AlertRule
from console.alerts.forms import RuleForm, initial_of
from console.forms import report
from console.members import Member, for_members
from conversations.usage import alerting
from core.http import newest, page_of
from engine.errors import ClawError
from webhooks.access.webhooks import webhooks_of

MAX_CHOICES = 200
"""Agents to choose from."""
SIGNS = {"above": ">", "below": "<"}


@dataclass(frozen=True)
class Line:
    """A rule or an alert, as the page shows it."""

    row: AlertRule | Alert

    @property
    def metric(self) -> str:
        """The number that is watched, in words."""
        return str(Metric(self.row.metric).label)

    @property
    def limit(self) -> str:
        """The side of the threshold that is too much: `> 5 %`."""
        return f"{SIGNS[self.row.comparison]} {amount(self.row.threshold, self.row.metric)}"

    @property
    def value(self) -> str:
        """The value of an alert when it began."""
        return amount(self.row.value, self.row.metric) if isinstance(self.row, Alert) else ""


@require_safe
@for_members("monitor:read")
def index(request: HttpRequest, member: Member) -> HttpResponse:
    """The open alerts, the rules, then the history, the newest first."""
    organization_id, mine = alerting.reader(member.caller)
    history, cursor = newest(
        access.alerts_of(organization_id, mine).exclude(resolved_at=None),
        page_of(request),
        by="triggered_at",
    )
    rows = access.rules_of(organization_id, mine).order_by("name", "id")
    context = {
        "section": "alerts",
        "open": list(map(Line, access.open_alerts(organization_id, mine))),
        "rules": list(map(Line, rows)),
        "history": list(map(Line, history)),
        "cursor": cursor,
        "may": "monitor:write" in member.caller.principal.scopes,
    }
    return render(request, "console/alerts/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members("monitor:write")
def create(request: HttpRequest, member: Member) -> HttpResponse:
    """`alerts/new/`."""
    form = _form(request, member)
    if request.method == "POST" and form.is_valid():
        try:
            alerting.create(member.caller, form.given())
        except (ClawError, ValidationError) as error:
            report(form, error)
        else:
            return redirect(member.address("alerts"))
    return render(request, "console/alerts/new.html", {"section": "alerts", "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@for_members("monitor:write")
def change(request: HttpRequest, member: Member, rule_id: str) -> HttpResponse:
    """`alerts/<id>/`: other values; or no rule any more."""
    rule = access.rule(alerting.keeper(member.caller), rule_id)
    form = _form(request, member, rule)
    if request.method == "POST" and form.is_valid():
        try:
            alerting.change(member.caller, rule_id, form.given())
        except (ClawError, ValidationError) as error:
            report(form, error)
        else:
            return redirect(member.address("alerts"))
    context = {"section": "alerts", "form": form, "rule": rule}
    return render(request, "console/alerts/change.html", context)


def waiting(member: Member) -> int:
    """The number of alerts that are open."""
    return access.open_alerts(*alerting.reader(member.caller)).count()


def _form(request: HttpRequest, member: Member, rule: AlertRule | None = None) -> RuleForm:
    return RuleForm(
        request.POST or None,
        initial=initial_of(rule) if rule else None,
        agents=list(agents.agents_listed(member.caller).order_by("name")[:MAX_CHOICES]),
        webhooks=list(webhooks_of(member.organization.id).order_by("url")),
    )
