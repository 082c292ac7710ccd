"""How long an organisation keeps conversations: what its choice would delete, and the deletion."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from accounts.models import Organization
from auditing.recording import record
from conversations.access import erasing
from conversations.models import NOBODY, UNFINISHED, Conversation, Message, Run

MAX_DAYS = 3650
AT_ONCE = 100  # conversations in a transaction: nobody waits long for the database


def preview(organization_id: str, days: int) -> dict[str, Any]:
    """The conversations that a retention of so many days would delete now: how many `conversations`
    and `messages`, and when the `oldest` was begun (None without one). Synchronous."""
    rows = unused(timedelta(days=days)).filter(organization=organization_id)
    found = rows.aggregate(conversations=Count("pk"), oldest=Min("created_at"))
    return found | {"messages": Message.objects.filter(conversation__in=rows).count()}


def unused(age: timedelta) -> QuerySet[Conversation]:
    """The conversations of all organisations without a message for this long, without those in
    which something happens."""
    rows = Conversation.objects.filter(last_message_at__lt=timezone.now() - age)
    busy = Run.objects.filter(UNFINISHED).values("conversation")
    return rows.exclude(owner=NOBODY).exclude(pk__in=busy)


def hide_expired() -> None:
    """Hide what the organisations keep no longer, so that it is deleted with all that is hidden,
    and note it in their audit logs. Synchronous, in many short transactions."""
    for organization in Organization.objects.exclude(retention_days=None).iterator():
        age = timedelta(days=organization.retention_days or 0)
        if count := hide_unused(age, unused(age).filter(organization=organization)):
            after = {"conversations": count, "retention_days": organization.retention_days}
            record(organization.pk, "retention.applied", after=after)


def hide_unused(age: timedelta, rows: QuerySet[Conversation]) -> int:
    """Hide those of these conversations that are still unused; returns how many. Synchronous."""
    count, last = 0, ""
    ids = rows.order_by("pk").values_list("pk", flat=True)
    while some := list(ids.filter(pk__gt=last)[:AT_ONCE]):
        count += _hide(some, age)
        last = some[-1]
    return count


@transaction.atomic
def _hide(ids: Sequence[str], age: timedelta) -> int:
    """A new message has to wait for the lock, and then finds no conversation."""
    locked = list(Conversation.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    still = unused(age).filter(pk__in=[row.pk for row in locked])
    count = still.count()
    erasing.hide(still)
    return count
