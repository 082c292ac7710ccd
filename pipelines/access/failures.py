"""The items that a pipeline could not take or deliver."""

from collections.abc import Collection
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from pipelines.models import Failure, Pipeline

MAX_FAILURES = 10_000
"""Of one pipeline; with more it fails as a whole."""
MAX_RETRIED = 200
"""Failures that are taken up at once."""
KEPT = timedelta(days=7)


def failures_of(row: Pipeline) -> QuerySet[Failure]:
    """All of them, also those that wait to be tried again."""
    return Failure.objects.filter(pipeline=row)


def retry(row: Pipeline, ids: Collection[str] | None) -> int:
    """Let these be tried again, or all; returns how many. A late item stays late, and is not."""
    rows = failures_of(row).filter(late=False)
    if ids is not None:
        rows = rows.filter(id__in=[each for each in ids if "\0" not in each])
    return rows.update(retried=True)


def discard(row: Pipeline) -> None:
    """Forget all of them."""
    failures_of(row).delete()


def too_many(pipeline_id: str) -> bool:
    """Whether there are more than `MAX_FAILURES`."""
    rows = Failure.objects.filter(pipeline=pipeline_id)
    return rows[: MAX_FAILURES + 1].count() > MAX_FAILURES


def trim(pipeline_id: str) -> None:
    """Forget the old ones."""
    old = timezone.now() - KEPT
    Failure.objects.filter(pipeline=pipeline_id, created_at__lt=old).delete()
