"""Notices: messages about alerts that are still to be sent. A process takes one, sends it, and
deletes it."""

from datetime import timedelta

from django.utils import timezone

from alerts.models import Notice

LEASE = timedelta(seconds=60)
"""A notice whose process died is taken again then."""
MAX_AT_ONCE = 50
MAX_ATTEMPTS = 5


def claim() -> list[Notice]:
    """Take the notices that are due, each with its alert, the oldest first."""
    now = timezone.now()
    rows = Notice.objects.filter(due_at__lte=now).select_related("alert").order_by("pk")
    taken = []
    for row in rows[:MAX_AT_ONCE]:
        mine = Notice.objects.filter(pk=row.pk, due_at=row.due_at)
        if mine.update(due_at=now + LEASE):
            taken.append(row)
    return taken


def told(notice: Notice) -> None:
    """It was told."""
    notice.delete()


def failed(notice: Notice) -> bool:
    """It could not be told: it is tried again after a while, or given up. Returns whether it is
    tried again."""
    notice.attempts += 1
    if notice.attempts >= MAX_ATTEMPTS:
        notice.delete()
        return False
    notice.due_at = timezone.now() + LEASE * 2**notice.attempts
    notice.save(update_fields=("attempts", "due_at"))
    return True
