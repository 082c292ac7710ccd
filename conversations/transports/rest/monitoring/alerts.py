"""`/api/alert-rules` and `/api/alerts`: thresholds that an organisation watches."""

from collections.abc import Sequence
from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from agents.access import agents_named, agents_watched, require_every_agent
from agents.caller import Caller
from alerts.access import rules as access
from alerts.shown import shown_alert, shown_rule
from core.http import PAGE, Answer, flag, newest, page_of, read, refusal
from engine.errors import invalid
from webhooks.access import webhooks
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
    rows, cursor = newest(access.rules_of(*_reader(caller)), page_of(request))
    return Answer(objects.AlertRulePage(rules=list(map(shown_rule, rows)), next_cursor=cursor))


def create(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/alert-rules`: 201."""
    organization_id = _keeper(caller)
    given = _given(caller, read(_new, request))
    try:
        made = access.create(organization_id, given)
    except ValidationError as error:
        raise refusal(error) from None
    return Answer(shown_rule(made), 201)


def show(request: HttpRequest, caller: Caller, rule_id: str) -> Answer:
    """`GET /api/alert-rules/{id}`."""
    organization_id, agents = _reader(caller)
    return Answer(shown_rule(access.rule(organization_id, rule_id, agents)))


def change(request: HttpRequest, caller: Caller, rule_id: str) -> Answer:
    """`PATCH /api/alert-rules/{id}`: what the body names."""
    organization_id = _keeper(caller)
    access.rule(organization_id, rule_id)
    given = _given(caller, read(_fields, request))
    try:
        changed = access.change(organization_id, rule_id, given)
    except ValidationError as error:
        raise refusal(error) from None
    return Answer(shown_rule(changed))


def delete(request: HttpRequest, caller: Caller, rule_id: str) -> HttpResponse:
    """`DELETE /api/alert-rules/{id}`: 204; its alert resolves."""
    access.delete(_keeper(caller), rule_id)
    return HttpResponse(status=204)


def alerts(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /api/alerts`: the newest first."""
    rows = access.alerts_of(*_reader(caller))
    if flag(request, "open"):
        rows = rows.filter(resolved_at=None)
    found, cursor = newest(rows, page_of(request), by="triggered_at")
    return Answer(objects.AlertPage(alerts=list(map(shown_alert, found)), next_cursor=cursor))


def _reader(caller: Caller) -> tuple[str, frozenset[str] | None]:
    """The organisation whose alerts the caller sees, and about which agents; None is all. Raises
    `forbidden`."""
    caller.principal.require("monitor:read")
    return caller.principal.organization_id, agents_watched(caller.principal, ())


def _keeper(caller: Caller) -> str:
    """The organisation whose rules the caller may change. Raises `forbidden`."""
    caller.principal.require("monitor:write")
    require_every_agent(caller)
    return caller.principal.organization_id


def _given(caller: Caller, body: objects.NewAlertRule | objects.AlertRuleFields) -> dict[str, Any]:
    """The fields of a rule that the body names, as the rule keeps them. Raises `invalid_message`
    for agents and webhooks that there are not."""
    fields = msgspec.structs.asdict(body)
    given = {name: value for name, value in fields.items() if value is not msgspec.UNSET}
    if (names := given.pop("agent_ids", None)) is not None:
        given["agents"] = _agents(caller, names)
    if (notify := given.pop("notify", None)) is not None:
        given["emails"] = list(dict.fromkeys(notify.emails))
        given["webhooks"] = _webhooks(caller, notify.webhook_ids)
    return given


def _agents(caller: Caller, names: Sequence[str]) -> list[str]:
    found = agents_named(caller, [name for name in names if "\0" not in name])
    known = {each.id for each in found} | {each.slug for each in found}
    if unknown := set(names) - known:
        raise invalid("agentIds", f"There is no agent “{min(unknown)[:100]}”.")
    return sorted(each.id for each in found)


def _webhooks(caller: Caller, ids: Sequence[str]) -> list[str]:
    mine = webhooks.webhooks_of(caller.principal.organization_id)
    known = set(mine.values_list("id", flat=True))
    if unknown := set(ids) - known:
        raise invalid("notify.webhookIds", f"There is no webhook “{min(unknown)[:100]}”.")
    return list(dict.fromkeys(ids))


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
