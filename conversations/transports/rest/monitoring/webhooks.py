"""`/api/webhooks`: where an organisation's events are sent, and what came of it."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from agents.access import require_every_agent
from agents.caller import Caller
from conversations.feed.watch import begin
from conversations.process.services import services_of
from core.database import database_step
from core.http import PAGE, Answer, given, newest, page_of, read, utc
from engine.errors import invalid
from webhooks import models
from webhooks.access import webhooks as access
from wire.description.openapi import Operation
from wire.objects import webhooks as objects
from wire.parse import check_storable

TEST = "webhook:test"

_new = msgspec.json.Decoder(objects.NewWebhook)
_fields = msgspec.json.Decoder(objects.WebhookFields)
_rotation = msgspec.json.Decoder(objects.WebhookRotation)


def index(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /api/webhooks`: the newest first."""
    rows, cursor = newest(access.webhooks_of(_organization(caller)), page_of(request))
    return Answer(objects.WebhookPage(webhooks=list(map(_shown, rows)), next_cursor=cursor))


async def create(request: HttpRequest, caller: Caller) -> Callable[[], Answer]:
    """`POST /api/webhooks`: 201. Whatever happens after the answer is sent to it."""
    organization_id = await database_step(_organization, caller)
    body = read(_new, request)
    _check(body)
    cursor = await begin(services_of(request.scope).feed, organization_id)
    return partial(_create, organization_id, body, cursor)


def show(request: HttpRequest, caller: Caller, webhook_id: str) -> Answer:
    """`GET /api/webhooks/{id}`."""
    return Answer(_shown(access.webhook(_organization(caller), webhook_id)))


async def change(request: HttpRequest, caller: Caller, webhook_id: str) -> Callable[[], Answer]:
    """`PATCH /api/webhooks/{id}`: what the body names."""
    organization_id = await database_step(_organization, caller)
    body = read(_fields, request)
    _check(body)
    cursor = await begin(services_of(request.scope).feed, organization_id)
    return partial(_change, organization_id, webhook_id, body, cursor)


def remove(request: HttpRequest, caller: Caller, webhook_id: str) -> HttpResponse:
    """`DELETE /api/webhooks/{id}`: 204."""
    access.webhook(_organization(caller), webhook_id).delete()
    return HttpResponse(status=204)


@transaction.atomic
def rotate(request: HttpRequest, caller: Caller, webhook_id: str) -> Answer:
    """`POST /api/webhooks/{id}/rotate`: 200 and the new secret."""
    body = read(_rotation, request)
    row = access.webhook(_organization(caller), webhook_id, lock=True)
    access.rotate(row, timedelta(seconds=body.overlap_seconds))
    return Answer(_shown(row), secret={"secret": row.secret})


def test(request: HttpRequest, caller: Caller, webhook_id: str) -> Answer:
    """`POST /api/webhooks/{id}/test`: 202 and the delivery of an event that says nothing."""
    row = access.webhook(_organization(caller), webhook_id)
    now = utc(timezone.now())
    body = {"type": TEST, "timestamp": now, "data": {"type": TEST, "at": now}}
    return Answer(_delivery(access.add_delivery(row, TEST, json.dumps(body))), 202)


def deliveries(request: HttpRequest, caller: Caller, webhook_id: str) -> Answer:
    """`GET /api/webhooks/{id}/deliveries`: the newest first."""
    row = access.webhook(_organization(caller), webhook_id)
    rows, cursor = newest(access.deliveries_of(row), page_of(request))
    shown = list(map(_delivery, rows))
    return Answer(objects.DeliveryPage(deliveries=shown, next_cursor=cursor))


def replay(request: HttpRequest, caller: Caller, webhook_id: str, delivery_id: str) -> Answer:
    """`POST /api/webhooks/{id}/deliveries/{id}/replay`: 202; it is sent again under its id."""
    row = access.webhook(_organization(caller), webhook_id)
    found = access.delivery(row, delivery_id)
    access.replay(row, found)
    return Answer(_delivery(found), 202)


def _organization(caller: Caller) -> str:
    """The organisation whose webhooks the caller manages. Raises `forbidden`."""
    caller.principal.require("admin")
    require_every_agent(caller)
    return caller.principal.organization_id


def _check(body: objects.NewWebhook | objects.WebhookFields) -> None:
    """Raise `invalid_message` for types of events that there are not."""
    check_storable("url", body.url)
    events = [] if body.events is msgspec.UNSET else body.events
    if unknown := sorted(set(events) - objects.EVENTS):
        known = ", ".join(sorted(objects.EVENTS))
        raise invalid("events", f"There is no event “{unknown[0]}”. These are: {known}.")


def _create(organization_id: str, body: objects.NewWebhook, cursor: str) -> Answer:
    row = access.create(organization_id, body.url, body.events, cursor)
    return Answer(_shown(row), 201, secret={"secret": row.secret})


@transaction.atomic
def _change(
    organization_id: str, webhook_id: str, body: objects.WebhookFields, cursor: str
) -> Answer:
    row = access.webhook(organization_id, webhook_id, lock=True)
    access.change(row, cursor, **given(body))
    return Answer(_shown(row))


def _shown(row: models.Webhook) -> objects.Webhook:
    return objects.Webhook(
        id=row.id,
        url=row.url,
        events=row.events,
        enabled=row.enabled,
        disabled_reason=row.disabled_reason or None,
        failing_since=row.failing_since,
        created_at=row.created_at,
    )


def _delivery(row: models.Delivery) -> objects.Delivery:
    pending = row.status == models.Delivery.Status.PENDING
    return objects.Delivery(
        id=row.id,
        type=row.type,
        status=row.status,
        attempts=row.attempts,
        next_attempt_at=row.due_at if pending else None,
        last_attempt_at=row.attempted_at,
        response_status=row.response_status,
        error=row.error or None,
        duration_ms=row.duration_ms,
        payload=json.loads(row.body),
        created_at=row.created_at,
    )


OPERATIONS = (
    Operation(
        "GET",
        "webhooks",
        index,
        name="listWebhooks",
        summary="The webhooks of the organisation, the newest first",
        scope="admin",
        parameters=PAGE,
        answers={200: (objects.WebhookPage,)},
    ),
    Operation(
        "POST",
        "webhooks",
        create,
        name="createWebhook",
        summary="Send events to an address from now on; `secret` is shown this once",
        scope="admin",
        body=objects.NewWebhook,
        answers={201: (objects.Webhook,)},
    ),
    Operation(
        "GET",
        "webhooks/<webhook_id>",
        show,
        name="getWebhook",
        summary="One webhook",
        scope="admin",
        answers={200: (objects.Webhook,)},
    ),
    Operation(
        "PATCH",
        "webhooks/<webhook_id>",
        change,
        name="changeWebhook",
        summary="Change its address or its events, disable or enable it",
        scope="admin",
        body=objects.WebhookFields,
        body_required=False,
        answers={200: (objects.Webhook,)},
    ),
    Operation(
        "DELETE",
        "webhooks/<webhook_id>",
        remove,
        name="deleteWebhook",
        summary="Delete a webhook with its deliveries",
        scope="admin",
        answers={204: ()},
    ),
    Operation(
        "POST",
        "webhooks/<webhook_id>/rotate",
        rotate,
        name="rotateWebhook",
        summary="A new secret, shown this once; the old one signs too for a while",
        scope="admin",
        body=objects.WebhookRotation,
        body_required=False,
        answers={200: (objects.Webhook,)},
    ),
    Operation(
        "POST",
        "webhooks/<webhook_id>/test",
        test,
        name="testWebhook",
        summary="Send it an event that says nothing",
        scope="admin",
        answers={202: (objects.Delivery,)},
    ),
    Operation(
        "GET",
        "webhooks/<webhook_id>/deliveries",
        deliveries,
        name="listDeliveries",
        summary="What the webhook was sent in the last days, the newest first",
        scope="admin",
        parameters=PAGE,
        answers={200: (objects.DeliveryPage,)},
    ),
    Operation(
        "POST",
        "webhooks/<webhook_id>/deliveries/<delivery_id>/replay",
        replay,
        name="replayDelivery",
        summary="Send it again",
        scope="admin",
        answers={202: (objects.Delivery,)},
    ),
)
