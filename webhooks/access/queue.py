"""The deliveries that wait. A process claims a webhook, and with it all that it is sent."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import Membership
from webhooks.models import Delivery, Webhook
from webhooks.retries import GIVE_UP, delay
from webhooks.sending import Outcome

LEASE = timedelta(seconds=60)
"""Longer than a turn may take: a webhook whose process died is taken again then."""
MAX_AT_ONCE = 10
"""Deliveries to one webhook that are under way; one while it fails."""
KEPT = timedelta(days=7)
"""For so long a delivery that has ended stays in the log."""
MAX_TRIMMED = 500
GONE = 410
PENDING = Delivery.Status.PENDING


def claim() -> Webhook | None:
    """Take the webhook with something to deliver that was free for longest; None if there is none.
    The process that takes it has it for `LEASE`."""
    now = timezone.now()
    due = Delivery.objects.filter(webhook=OuterRef("pk"), status=PENDING, due_at__lte=now)
    free = Webhook.objects.filter(Exists(due), enabled=True, free_at__lte=now)
    for row in free.order_by("free_at")[:10]:
        if Webhook.objects.filter(pk=row.pk, free_at=row.free_at).update(free_at=now + LEASE):
            row.free_at = now + LEASE
            return row
    return None


def enqueue(organization_id: str, webhook_id: str, type: str, body: str) -> None:
    """Let an enabled webhook of the organisation be sent a message. One that asks for all events of
    the type is left out: it is sent each of them."""
    row = Webhook.objects.filter(pk=webhook_id, organization=organization_id, enabled=True).first()
    if row is not None and type not in row.events:
        Delivery.objects.create(webhook=row, type=type, body=body)


def release(row: Webhook, rest: timedelta) -> None:
    """Let a claimed webhook be taken again after a rest."""
    mine = Webhook.objects.filter(pk=row.pk, free_at=row.free_at)
    mine.update(free_at=timezone.now() + rest)


def due(row: Webhook) -> list[Delivery]:
    """The deliveries to try now, the longest due first; none if the webhook is no longer this
    process's. The webhook gets the address and the secrets that it has by now."""
    now = timezone.now()
    current = Webhook.objects.filter(pk=row.pk, free_at=row.free_at, enabled=True).first()
    if current is None:
        return []
    row.url, row.secret, row.failing_since = current.url, current.secret, current.failing_since
    row.previous_secret, row.previous_until = current.previous_secret, current.previous_until
    rows = Delivery.objects.filter(webhook=row, status=PENDING, due_at__lte=now)
    return list(rows.order_by("due_at", "id")[: 1 if row.failing_since else MAX_AT_ONCE])


@transaction.atomic
def settle(row: Webhook, tried: Sequence[tuple[Delivery, Outcome]]) -> bool:
    """Store the outcomes of attempts; returns whether they have disabled the webhook.

    A delivery that fails is tried again after a while (`webhooks.retries`), or has failed for good
    after its last attempt. A webhook is disabled that says that it is gone (410), and one for which
    everything fails for `GIVE_UP`."""
    now = timezone.now()
    for delivery, outcome in tried:
        _store(delivery, outcome)
    if any(not outcome.error for _, outcome in tried):
        row.failing_since = None
    elif row.failing_since is None:
        row.failing_since = now
    Webhook.objects.filter(pk=row.pk).update(failing_since=row.failing_since)
    if any(outcome.status == GONE for _, outcome in tried):
        return disable(row, "The receiver answered that the address is gone (410).")
    if row.failing_since is not None and now - row.failing_since >= GIVE_UP:
        hours = GIVE_UP // timedelta(hours=1)
        return disable(row, f"Every attempt of {hours} hours has failed.")
    return False


def disable(row: Webhook, reason: str) -> bool:
    """Send a webhook nothing more, and fail what waits for it; returns whether it was enabled. In a
    transaction only."""
    enabled = Webhook.objects.select_for_update().filter(pk=row.pk, enabled=True)
    if enabled.first() is None:
        return False
    row.enabled, row.disabled_reason = False, reason
    row.save(update_fields=("enabled", "disabled_reason"))
    waiting = Delivery.objects.filter(webhook=row, status=PENDING)
    waiting.update(status=Delivery.Status.FAILED, error="disabled")
    return True


def trim() -> bool:
    """Forget some deliveries that have ended long ago; returns whether there were any."""
    old = Delivery.objects.filter(created_at__lt=timezone.now() - KEPT).exclude(status=PENDING)
    some = list(old.values_list("pk", flat=True)[:MAX_TRIMMED])
    Delivery.objects.filter(pk__in=some).delete()
    return bool(some)


def managers(row: Webhook) -> Iterable[str]:
    """The addresses of the owners and admins of a webhook's organisation."""
    roles = (Membership.Role.OWNER, Membership.Role.ADMIN)
    rows = Membership.objects.filter(organization=row.organization_id, role__in=roles)
    return list(rows.filter(user__is_active=True).values_list("user__email", flat=True))


def _store(delivery: Delivery, outcome: Outcome) -> None:
    delivery.attempts += 1
    delivery.attempted_at = now = timezone.now()
    delivery.response_status, delivery.error, delivery.duration_ms = outcome
    later = delay(delivery.attempts) if outcome.error else None
    if later is not None:
        delivery.due_at = now + later
    elif outcome.error:
        delivery.status = Delivery.Status.FAILED
    else:
        delivery.status = Delivery.Status.DELIVERED
    fields = ("attempts", "attempted_at", "response_status", "error", "duration_ms", "due_at")
    changed = {name: getattr(delivery, name) for name in (*fields, "status")}
    Delivery.objects.filter(pk=delivery.pk, status=PENDING).update(**changed)
