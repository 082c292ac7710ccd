"""The rows that count the events of organisations, and how old events are forgotten."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from conversations.feed.base import MAX_BYTES, MAX_EVENTS, UNREAD
from conversations.models import FeedEvent, FeedHead, feed_epoch

STEP = 500  # rows that are deleted at once
ROOM = 0.9  # of a bound, once it was exceeded: not every event shall have one deleted


def locked_heads(organization_ids: list[str]) -> dict[str, FeedHead]:
    """The locked heads of those organisations whose events are kept, by organisation."""
    rows = FeedHead.objects.filter(organization__in=organization_ids).order_by("organization")
    return {head.organization_id: head for head in rows.select_for_update()}


def read_head(organization_id: str) -> tuple[FeedHead, bool]:
    """The head of an organisation whose events are read now, and whether it is new."""
    head, new = FeedHead.objects.get_or_create(organization_id=organization_id)
    note_reading(head)
    return head, new


def note_reading(head: FeedHead) -> None:
    """Once in a while is enough: readers look every second."""
    now = timezone.now()
    if now - head.read_at > timedelta(seconds=UNREAD) / 2:
        FeedHead.objects.filter(pk=head.pk).update(read_at=now)


def organizations() -> list[str]:
    """Those whose events are kept."""
    return list(FeedHead.objects.values_list("organization_id", flat=True))


def lose_all() -> None:
    """Make every cursor that was given before invalid, of all organisations: the database was
    restored, and the positions that were given since the backup will be given again. A backup of an
    early version has no feed."""
    if FeedHead._meta.db_table in connection.introspection.table_names():
        FeedHead.objects.update(epoch=feed_epoch())


@transaction.atomic
def forget_older(organization_id: str, oldest: datetime, unread: datetime) -> None:
    """Forget the events before `oldest`, and all of them if nobody has read any since `unread`."""
    for head in locked_heads([organization_id]).values():
        if head.read_at < unread:
            FeedEvent.objects.filter(organization=organization_id).delete()
            head.delete()
            continue
        _forget(head, lambda created_at: created_at < oldest)
        head.save(update_fields=["floor", "bytes"])


def forget_surplus(head: FeedHead) -> None:
    """Forget the oldest events beyond the bounds."""
    if head.last - head.floor > MAX_EVENTS or head.bytes > MAX_BYTES:
        events, size = int(MAX_EVENTS * ROOM), int(MAX_BYTES * ROOM)
        _forget(head, lambda _: head.last - head.floor > events or head.bytes > size)


def _forget(head: FeedHead, surplus: Callable[[datetime], bool]) -> None:
    """Delete the oldest events for as long as they are too many."""
    rows = FeedEvent.objects.filter(organization=head.organization_id)
    while True:
        oldest = rows.order_by("position").values_list("position", "size", "created_at")
        some, gone = list(oldest[:STEP]), 0
        for position, size, created_at in some:
            if not surplus(created_at):
                break
            head.floor, head.bytes, gone = position, head.bytes - size, gone + 1
        rows.filter(position__lte=head.floor).delete()
        if gone < STEP:
            return
