"""An organisation's own webhooks and their deliveries."""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from engine.errors import ClawError, invalid
from engine.http.guard import AddressRefused, Guard
from webhooks.models import Delivery, Position, Webhook
from webhooks.signing import new_secret

MAX_WEBHOOKS = 20
"""Of one organisation."""
MAX_ERASED = 500
"""Deliveries in one step of the deletion of their organisation."""


def webhooks_of(organization_id: str) -> QuerySet[Webhook]:
    """The organisation's webhooks."""
    return Webhook.objects.filter(organization=organization_id)


def webhook(organization_id: str, webhook_id: str, *, lock: bool = False) -> Webhook:
    """One of the organisation's; `lock` keeps others from changing it until the transaction ends.
    Raises `not_found`."""
    rows = webhooks_of(organization_id).filter(id=webhook_id)
    found = None if "\0" in webhook_id else (rows.select_for_update() if lock else rows).first()
    if found is None:
        raise ClawError("not_found", "There is no such webhook.")
    return found


def deliveries_of(webhook: Webhook) -> QuerySet[Delivery]:
    """The deliveries of the webhook, past and coming."""
    return Delivery.objects.filter(webhook=webhook)


def delivery(webhook: Webhook, delivery_id: str) -> Delivery:
    """One delivery to the webhook. Raises `not_found`."""
    rows = deliveries_of(webhook)
    found = None if "\0" in delivery_id else rows.filter(id=delivery_id).first()
    if found is None:
        raise ClawError("not_found", "There is no such delivery.")
    return found


@transaction.atomic
def create(organization_id: str, url: str, events: Sequence[str], cursor: str) -> Webhook:
    """A new webhook, with a secret; it is sent what the feed has after the cursor. Raises
    `invalid_message`, ValidationError."""
    if webhooks_of(organization_id).count() >= MAX_WEBHOOKS:
        raise invalid("$", f"An organisation has at most {MAX_WEBHOOKS} webhooks.")
    row = Webhook(organization_id=organization_id, secret=new_secret())
    _set(row, url=url, events=list(events))
    _listen(organization_id, cursor)
    row.save(force_insert=True)
    return row


@transaction.atomic
def change(
    row: Webhook,
    cursor: str,
    *,
    url: str | None = None,
    events: Sequence[str] | None = None,
    enabled: bool | None = None,
) -> None:
    """Give a webhook, whose row is locked, other values. One that is enabled again is sent what the
    feed has after the cursor. Raises `invalid_message`, ValidationError."""
    _set(row, url=row.url if url is None else url, events=row.events if events is None else events)
    if enabled and not row.enabled:
        _listen(row.organization_id, cursor)
        row.disabled_reason, row.failing_since, row.free_at = "", None, timezone.now()
    row.enabled = row.enabled if enabled is None else enabled
    fields = ("url", "events", "enabled", "disabled_reason", "failing_since", "free_at")
    row.save(update_fields=fields)


def rotate(row: Webhook, overlap: timedelta) -> None:
    """Give a webhook, whose row is locked, a new secret; both sign for the time of the overlap."""
    until = timezone.now() + overlap
    Webhook.objects.filter(pk=row.pk).update(
        secret=new_secret(), previous_secret=row.secret, previous_until=until
    )
    row.refresh_from_db()


def add_delivery(row: Webhook, type: str, body: str) -> Delivery:
    """Let a webhook be sent a message. Raises `invalid_message` for one that is disabled."""
    _check_enabled(row)
    return Delivery.objects.create(webhook=row, type=type, body=body)


def send_to_all(organization_id: str, type: str, body: str) -> int:
    """Let every enabled webhook that wants this type be sent a message that the feed does not have;
    returns their number."""
    enabled = webhooks_of(organization_id).filter(enabled=True)
    wanting = [row for row in enabled if type in row.events]
    Delivery.objects.bulk_create(Delivery(webhook=row, type=type, body=body) for row in wanting)
    return len(wanting)


def replay(row: Webhook, found: Delivery) -> None:
    """Let a delivery be sent again under its id, with all its attempts. Raises `invalid_message`
    for a webhook that is disabled."""
    _check_enabled(row)
    found.status, found.attempts, found.due_at = Delivery.Status.PENDING, 0, timezone.now()
    found.save(update_fields=("status", "attempts", "due_at"))


def erase_some(organization_id: str) -> bool:
    """Delete some deliveries of an organisation that is erased; returns whether there were any."""
    rows = Delivery.objects.filter(webhook__organization=organization_id)
    some = list(rows.values_list("pk", flat=True)[:MAX_ERASED])
    Delivery.objects.filter(pk__in=some).delete()
    return bool(some)


def _set(row: Webhook, *, url: str, events: Sequence[str]) -> None:
    """Raises `invalid_message` for an address to which nobody connects, whatever its name is."""
    row.url, row.events = url, list(events)
    try:
        Guard(settings.CLAW_ALLOW_PRIVATE_NETWORKS).check_url(url)
    except AddressRefused:
        raise invalid("url", "Give a public address such as https://example.com/hook.") from None
    if "#" in url:
        raise ValidationError({"url": "An address of a webhook has no fragment."})
    row.full_clean(exclude=("organization", "secret", "previous_secret"))


def _listen(organization_id: str, cursor: str) -> None:
    """Read the organisation's feed from this cursor on, unless it is read already."""
    if not webhooks_of(organization_id).filter(enabled=True).exists():
        Position.objects.update_or_create(
            organization_id=organization_id, defaults={"cursor": cursor}
        )


def _check_enabled(row: Webhook) -> None:
    if not row.enabled:
        raise ClawError("invalid_message", "This webhook is disabled. Enable it first.")
