"""The process that carries a pipeline out. It owns the pipeline for a while, and says again and
again that it still does. A process that has lost a pipeline can store nothing of it: each owner has
a greater attempt than the one before."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from pipelines.access import failures
from pipelines.flow.flow import NewFailure, Snapshot
from pipelines.flow.metrics import Measured
from pipelines.graph.items import Item
from pipelines.models import Checkpoint, Failure, Pipeline

TO_DO = Q(status=Pipeline.Status.RUNNING) | Q(stopping=True)
TOO_MANY = f"There are more than {failures.MAX_FAILURES} failures. Retry or discard them."


class Seen(NamedTuple):
    """What an owner needs to know of its pipeline's row."""

    attempt: int
    status: str
    stopping: bool
    version: int
    appended: int


class Kept:
    """A checkpoint that is to be stored. It is made into JSON at once: a pipeline goes on while the
    database stores it."""

    def __init__(self, snapshot: Snapshot, measured: Measured) -> None:
        self.body = msgspec.json.encode(snapshot).decode()
        self.inbox = snapshot.position.get("inbox", 0)
        self.metrics = msgspec.to_builtins(measured)


class Stored(NamedTuple):
    """A checkpoint as it was read."""

    snapshot: Snapshot
    measured: Measured


def free_all() -> None:
    """Let every pipeline be claimed at once: no other process can own one."""
    Pipeline.objects.filter(free_at__gt=timezone.now()).update(free_at=timezone.now())


def claim(at_most: int) -> list[Pipeline]:
    """Take pipelines that are to be carried out and that nobody owns."""
    now = timezone.now()
    claimed = []
    for row in Pipeline.objects.filter(TO_DO, free_at__lte=now).order_by("free_at")[:at_most]:
        mine = Pipeline.objects.filter(pk=row.pk, attempt=row.attempt, free_at__lte=now)
        if mine.update(attempt=row.attempt + 1, free_at=now + _lease()):
            row.attempt += 1
            claimed.append(row)
    return claimed


def look(pipeline_ids: Sequence[str]) -> dict[str, Seen]:
    """How these pipelines are now; one that was deleted is not there."""
    rows = Pipeline.objects.filter(pk__in=pipeline_ids)
    fields = ("attempt", "status", "stopping", "version", "appended")
    return {found[0]: Seen(*found[1:]) for found in rows.values_list("pk", *fields)}


def stored(row: Pipeline) -> Stored:
    """The latest checkpoint of a pipeline."""
    latest = Checkpoint.objects.get(pipeline=row, latest=True)
    return Stored(
        msgspec.json.decode(latest.body, type=Snapshot), msgspec.convert(latest.metrics, Measured)
    )


def renew(row: Pipeline) -> bool:
    """Own a pipeline for longer; returns whether it is still this owner's."""
    mine = Pipeline.objects.filter(pk=row.pk, attempt=row.attempt)
    return bool(mine.update(free_at=timezone.now() + _lease()))


@transaction.atomic
def commit(
    row: Pipeline,
    kept: Kept,
    *,
    failed: Sequence[NewFailure],
    retried: Sequence[str],
    error: str | None,
) -> bool:
    """Store a checkpoint, with what has failed since the last one; returns whether the pipeline is
    still this owner's. `retried` are failures that the checkpoint has taken up, `error` is for
    people."""
    if not renew(row):
        return False
    changed: Mapping[str, Any] = {
        "version": row.version,
        "body": kept.body,
        "metrics": kept.metrics,
        "inbox": kept.inbox,
        "created_at": timezone.now(),
    }
    Checkpoint.objects.filter(pipeline=row, latest=True).update(**changed)
    Failure.objects.filter(pipeline=row, pk__in=retried).delete()
    Failure.objects.bulk_create(
        Failure(
            pipeline=row,
            item=msgspec.json.encode(each.item).decode(),
            stage=each.stage,
            destination=each.destination,
            late=each.late,
            reason=each.reason[:500],
        )
        for each in failed
    )
    if error is not None:
        note_error(row, error)
    if failed and failures.too_many(row.pk):
        fail(row, TOO_MANY)
    return True


def release(row: Pipeline, *, stopped: bool) -> None:
    """Let another process claim a pipeline. `stopped`: everything that it held is delivered."""
    mine = Pipeline.objects.filter(pk=row.pk, attempt=row.attempt)
    mine.update(free_at=timezone.now(), **({"stopping": False} if stopped else {}))


def fail(row: Pipeline, reason: str) -> None:
    """Stop a pipeline that cannot go on."""
    mine = Pipeline.objects.filter(pk=row.pk, attempt=row.attempt)
    mine.update(status=Pipeline.Status.FAILED, stopping=False)
    note_error(row, reason)


def note_error(row: Pipeline, reason: str) -> None:
    """Remember the latest error of a pipeline, for people."""
    rows = Pipeline.objects.filter(pk=row.pk, attempt=row.attempt)
    rows.update(last_error=reason[:500], last_error_at=timezone.now())


def to_retry(row: Pipeline, but: Sequence[str]) -> list[tuple[str, NewFailure]]:
    """Failures that wait to be tried again, but for those that are taken up already."""
    rows = Failure.objects.filter(pipeline=row, retried=True).exclude(pk__in=but)
    return [
        (
            each.pk,
            NewFailure(
                msgspec.json.decode(each.item, type=Item),
                each.reason,
                stage=each.stage,
                destination=each.destination,
            ),
        )
        for each in rows.order_by("created_at")[: failures.MAX_RETRIED]
    ]


def _lease() -> timedelta:
    return timedelta(seconds=settings.CLAW_RUN_LEASE)
