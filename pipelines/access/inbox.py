"""The items that are put into pipelines, until they are part of a checkpoint."""

import hmac
from collections.abc import Sequence
from datetime import timedelta

import msgspec
from django.db import transaction
from django.db.models import Max, Min, Q
from django.utils import timezone

from engine.errors import ClawError
from engine.ids import new_id
from pipelines.access.pipelines import LIVE
from pipelines.graph.items import Data, Item
from pipelines.models import Checkpoint, InboxItem, Pipeline

MAX_BACKLOG = 100_000
"""Items of one pipeline that wait to be read."""
MAX_READ_BYTES = 1024 * 1024
"""Of the items that are read at once."""
KEPT = timedelta(hours=24)
"""For so long a kept checkpoint finds the items that came after it."""
MAX_TRIMMED = 2000
RETRY_MS = 5000


def pipeline_of_secret(pipeline_id: str, secret: str) -> Pipeline:
    """The pipeline that takes items at this address. Raises `not_found`."""
    rows = Pipeline.objects.filter(id=pipeline_id, source__type="webhook")
    found = None if "\0" in pipeline_id else rows.first()
    if found is None or not hmac.compare_digest(found.secret.encode(), secret.encode()):
        raise ClawError("not_found", "There is no such address.")
    return found


@transaction.atomic
def append(pipeline_id: str, items: Sequence[Data]) -> int:
    """Store items for a pipeline, in this order; returns how many. The row of the pipeline is
    locked, so the order of the numbers is that of the commits. Raises `pipeline_status` unless it
    runs or pauses, `rate_limited` while too many wait."""
    row = Pipeline.objects.select_for_update().defer("secret").get(pk=pipeline_id)
    if row.status not in LIVE:
        raise ClawError("pipeline_status", f"The pipeline is {row.status}: start it first.")
    read = Checkpoint.objects.defer("body").get(pipeline=row, latest=True).inbox
    if row.appended - read + len(items) > MAX_BACKLOG:
        raise ClawError(
            "rate_limited", "Too many items wait in this pipeline.", retry_after=RETRY_MS
        )
    InboxItem.objects.bulk_create(
        InboxItem(
            pipeline=row,
            number=row.appended + number,
            item_id=new_id("itm"),
            data=msgspec.json.encode(item).decode(),
        )
        for number, item in enumerate(items, 1)
    )
    row.appended += len(items)
    row.save(update_fields=["appended"])
    return len(items)


def read(pipeline_id: str, after: int, limit: int) -> tuple[list[Item], int]:
    """The next items after this number, and the number of the last of them."""
    rows = InboxItem.objects.filter(pipeline=pipeline_id, number__gt=after).order_by("number")
    items: list[Item] = []
    size = 0
    for row in rows[:limit].iterator():
        arrived = round(row.arrived_at.timestamp() * 1000)
        items.append(Item(row.item_id, msgspec.json.decode(row.data), arrived))
        after, size = row.number, size + len(row.data)
        if size > MAX_READ_BYTES:
            break
    return items, after


def age(pipeline_id: str, after: int) -> float:
    """The seconds for which the next item after this number waits."""
    rows = InboxItem.objects.filter(pipeline=pipeline_id, number__gt=after).order_by("number")
    arrived = rows.values_list("arrived_at", flat=True).first()
    return 0.0 if arrived is None else round((timezone.now() - arrived).total_seconds(), 1)


def trim(pipeline_id: str) -> None:
    """Forget some items that every checkpoint has passed, or that are old."""
    kept = Checkpoint.objects.filter(pipeline=pipeline_id)
    found = kept.aggregate(passed=Min("inbox"), read_to=Max("inbox", filter=Q(latest=True)))
    if found["read_to"] is None:  # the pipeline is deleted
        return
    rows = InboxItem.objects.filter(pipeline=pipeline_id)
    gone = rows.filter(number__lte=found["passed"])
    old = rows.filter(number__lte=found["read_to"], arrived_at__lt=timezone.now() - KEPT)
    for some in (gone, old):
        numbers = list(some.values_list("pk", flat=True)[:MAX_TRIMMED])
        InboxItem.objects.filter(pk__in=numbers).delete()
