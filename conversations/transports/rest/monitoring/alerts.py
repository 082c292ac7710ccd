"""`/api/alert-rules` and `/api/alerts`: thresholds that an organisation watches."""

from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from agents.caller import Caller
from alerts.access import rules as access
from alerts.shown import shown_alert, shown_rule
from conversations.usage import alerting
from core.http import PAGE, Answer, flag, given, newest, page_of, read, refusal
from wire.description.openapi import Operation, Parameter
from wire.objects import alerts as objects

OPEN = Parameter(
    name="open",
    schema={"type": "boolean", "default": False},
    description="Only alerts that have not resolved.",
)

_new = msgspec.json.Decoder(objects.NewAlertRule)
_fields = msgspec.json.Decoder(objects.AlertRuleFields)


def index(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /api/alert-rules`: the newest first."""
    rows, cursor = newest(access.rules_of(*alerting.reader(caller)), page_of(request))
    return Answer(objects.AlertRulePage(rules=list(map(shown_rule, rows)), next_cursor=cursor))


def create(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/alert-rules`: 201."""
    alerting.keeper(caller)
    fields = _fields_of(read(_new, request))
    try:
        made = alerting.create(caller, fields)
    except ValidationError as error:
        raise refusal(error) from None
    return Answer(shown_rule(made), 201)


def show(request: HttpRequest, caller: Caller, rule_id: str) -> Answer:
    """`GET /api/alert-rules/{id}`."""
    organization_id, agents = alerting.reader(caller)
    return Answer(shown_rule(access.rule(organization_id, rule_id, agents)))


def change(request: HttpRequest, caller: Caller, rule_id: str) -> Answer:
    """`PATCH /api/alert-rules/{id}`: what the body names."""
    access.rule(alerting.keeper(caller), rule_id)
    fields = _fields_of(read(_fields, request))
    try:
        changed = alerting.change(caller, rule_id, fields)
    except ValidationError as error:
        raise refusal(error) from None
    return Answer(shown_rule(changed))


def delete(request: HttpRequest, caller: Caller, rule_id: str) -> HttpResponse:
    """`DELETE /api/alert-rules/{id}`: 204; its alert resolves."""
    alerting.delete(caller, rule_id)
    return HttpResponse(status=204)


def alerts(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /api/alerts`: the newest first."""
    rows = access.alerts_of(*alerting.reader(caller))
    if flag(request, "open"):
        rows = rows.filter(resolved_at=None)
    found, cursor = newest(rows, page_of(request), by="triggered_at")
    return Answer(objects.AlertPage(alerts=list(map(shown_alert, found)), next_cursor=cursor))


def _fields_of(body: objects.NewAlertRule | objects.AlertRuleFields) -> dict[str, Any]:
    """The fields that the body names, as `conversations.usage.alerting` takes them."""
    fields = given(body)
    if (names := fields.pop("agent_ids", None)) is not None:
        fields["agents"] = names
    if (notify := fields.pop("notify", None)) is not None:
        fields |= {"emails": notify.emails, "webhooks": notify.webhook_ids}
    return fields


OPERATIONS = (
    Operation(
        "GET",
        "alert-rules",
        index,
        name="listAlertRules",
        summary="The alert rules of the organisation, the newest first",
        scope="monitor:read",
        parameters=PAGE,
        answers={200: (objects.AlertRulePage,)},
    ),
    Operation(
        "POST",
        "alert-rules",
        create,
        name="createAlertRule",
        summary="Raise an alert when a number about runs passes a threshold",
        scope="monitor:write",
        body=objects.NewAlertRule,
        answers={201: (objects.AlertRule,)},
    ),
    Operation(
        "GET",
        "alert-rules/<rule_id>",
        show,
        name="getAlertRule",
        summary="One alert rule",
        scope="monitor:read",
        answers={200: (objects.AlertRule,)},
    ),
    Operation(
        "PATCH",
        "alert-rules/<rule_id>",
        change,
        name="changeAlertRule",
        summary="Change an alert rule; its alert resolves if it watches something else then",
        scope="monitor:write",
        body=objects.AlertRuleFields,
        body_required=False,
        answers={200: (objects.AlertRule,)},
    ),
    Operation(
        "DELETE",
        "alert-rules/<rule_id>",
        delete,
        name="deleteAlertRule",
        summary="Delete an alert rule; its alert resolves",
        scope="monitor:write",
        answers={204: ()},
    ),
    Operation(
        "GET",
        "alerts",
        alerts,
        name="listAlerts",
        summary="The alerts of the organisation, the newest first",
        scope="monitor:read",
        parameters=(*PAGE, OPEN),
        answers={200: (objects.AlertPage,)},
    ),
)
