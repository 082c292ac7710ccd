"""From the feed to the deliveries: each event becomes a delivery once for each webhook."""

from collections.abc import Sequence

from django.db import transaction

from webhooks.access.queue import disable
from webhooks.models import Delivery, Position, Webhook

MAX_WAITING = 10_000
"""Deliveries that wait for one webhook; with more it is disabled."""
TOO_MANY = f"More than {MAX_WAITING} deliveries were waiting."


def positions() -> list[tuple[str, str]]:
    """The organisations that have an enabled webhook, each with its cursor."""
    listening = Webhook.objects.filter(enabled=True).values("organization")
    rows = Position.objects.filter(organization__in=listening)
    return list(rows.values_list("organization_id", "cursor"))


@transaction.atomic
def advance(
    organization_id: str, before: str, after: str, messages: Sequence[tuple[str, str]]
) -> list[Webhook]:
    """Move an organisation's position, and store a delivery of each message (type and body) for
    every webhook that wants it, in one transaction. It does nothing if another process was first.
    Returns the webhooks that are disabled because too much waits for them."""
    moved = Position.objects.filter(organization=organization_id, cursor=before)
    if not moved.update(cursor=after):
        return []
    disabled = []
    for webhook in Webhook.objects.filter(organization=organization_id, enabled=True):
        waiting = Delivery.objects.filter(webhook=webhook, status=Delivery.Status.PENDING)
        if waiting[: MAX_WAITING + 1].count() > MAX_WAITING:
            if disable(webhook, TOO_MANY):
                disabled.append(webhook)
            continue
        Delivery.objects.bulk_create(
            Delivery(webhook=webhook, type=type_, body=body)
            for type_, body in messages
            if type_ in webhook.events
        )
    return disabled
