"""An organisation's own pipelines, and what may be done with them."""

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from engine.errors import ClawError, invalid
from pipelines.flow.flow import Flow
from pipelines.graph.stages import Stage
from pipelines.models import Checkpoint, Pipeline

MAX_PIPELINES = 100
"""Of one organisation."""
MAX_KEPT = 10
"""Checkpoints of one pipeline that are kept beside the latest."""
Status = Pipeline.Status
LIVE = (Status.RUNNING, Status.PAUSED)
"""The statuses of a pipeline that takes items."""


def pipelines_of(organization_id: str) -> QuerySet[Pipeline]:
    """The organisation's pipelines."""
    return Pipeline.objects.filter(organization=organization_id)


def pipeline(organization_id: str, pipeline_id: str, *, lock: bool = False) -> Pipeline:
    """One of the organisation's; `lock` keeps others from changing it until the transaction ends.
    Raises `not_found`."""
    rows = pipelines_of(organization_id).filter(id=pipeline_id)
    found = None if "\0" in pipeline_id else (rows.select_for_update() if lock else rows).first()
    if found is None:
        raise ClawError("not_found", "There is no such pipeline.")
    return found


@transaction.atomic
def create(organization_id: str, fields: dict[str, Any]) -> Pipeline:
    """A new pipeline, which does not run yet. Raises `invalid_message`."""
    if pipelines_of(organization_id).count() >= MAX_PIPELINES:
        raise invalid("$", f"An organisation has at most {MAX_PIPELINES} pipelines.")
    row = Pipeline(organization_id=organization_id, secret=secrets.token_urlsafe(24), **fields)
    row.save(force_insert=True)
    _store_beginning(row)
    return row


def change(row: Pipeline, fields: dict[str, Any]) -> None:
    """Give a pipeline, whose row is locked, other values: a new version. One that runs goes on with
    it from its latest checkpoint."""
    for name, value in fields.items():
        setattr(row, name, value)
    row.version += 1
    row.save(update_fields=[*fields, "version"])


def start(row: Pipeline) -> None:
    """Let a pipeline, whose row is locked, run; one that runs already goes on. Raises
    `pipeline_status` while it is being stopped."""
    if row.stopping:
        raise ClawError("pipeline_status", "The pipeline is being stopped: try again soon.")
    row.status, row.started_at = Status.RUNNING, row.started_at or timezone.now()
    row.last_error, row.last_error_at = "", None
    row.save(update_fields=["status", "started_at", "last_error", "last_error_at"])


def pause(row: Pipeline) -> None:
    """Let a running pipeline, whose row is locked, rest with all that it holds. Raises
    `pipeline_status`."""
    _require(row, *LIVE)
    row.status = Status.PAUSED
    row.save(update_fields=["status"])


def resume(row: Pipeline) -> None:
    """Let a paused pipeline, whose row is locked, go on. Raises `pipeline_status`."""
    _require(row, *LIVE)
    start(row)


def stop(row: Pipeline) -> None:
    """Let a pipeline, whose row is locked, deliver what it holds, and take no more. Raises
    `pipeline_status` for one that was never started."""
    _require(row, *LIVE, Status.STOPPED, Status.FAILED)
    row.stopping = row.stopping or row.status in LIVE
    row.status = Status.STOPPED
    row.save(update_fields=["status", "stopping"])


def checkpoints_of(row: Pipeline) -> QuerySet[Checkpoint]:
    """The latest checkpoint, and those that are kept."""
    return Checkpoint.objects.filter(pipeline=row)


def latest_of(rows: Sequence[Pipeline]) -> dict[str, Checkpoint]:
    """The latest checkpoint of each of these pipelines, without its body."""
    found = Checkpoint.objects.filter(pipeline__in=rows, latest=True).defer("body")
    return {each.pipeline_id: each for each in found}


@transaction.atomic
def keep_checkpoint(row: Pipeline) -> Checkpoint:
    """Keep a copy of the latest checkpoint. Raises `invalid_message`."""
    latest = checkpoints_of(row).get(latest=True)
    if checkpoints_of(row).filter(latest=False).count() >= MAX_KEPT:
        raise invalid("$", f"A pipeline keeps at most {MAX_KEPT} checkpoints: delete one.")
    fields = ("version", "body", "metrics", "inbox")
    copy = {name: getattr(latest, name) for name in fields}
    return Checkpoint.objects.create(pipeline=row, latest=False, **copy)


def checkpoint(row: Pipeline, checkpoint_id: str) -> Checkpoint:
    """One of the pipeline's checkpoints. Raises `not_found`."""
    rows = checkpoints_of(row)
    found = None if "\0" in checkpoint_id else rows.filter(id=checkpoint_id).first()
    if found is None:
        raise ClawError("not_found", "There is no such checkpoint.")
    return found


def forget_checkpoint(kept: Checkpoint) -> None:
    """Keep it no longer. Raises `in_use` for the latest."""
    if kept.latest:
        raise ClawError("in_use", "The pipeline goes on from its latest checkpoint.")
    kept.delete()


@transaction.atomic
def restore(row: Pipeline, kept: Checkpoint) -> None:
    """Let a pipeline, whose row is locked, go on from this checkpoint. Whoever carries it out loses
    it, and what was not stored by then is read again."""
    fields = ("version", "body", "metrics", "inbox")
    copy = {name: getattr(kept, name) for name in fields} | {"created_at": timezone.now()}
    Checkpoint.objects.filter(pipeline=row, latest=True).update(**copy)
    Pipeline.objects.filter(pk=row.pk).update(attempt=F("attempt") + 1, free_at=timezone.now())


def _store_beginning(row: Pipeline) -> None:
    """The checkpoint of a pipeline that has read nothing."""
    stages = msgspec.convert(row.transforms, list[Stage])
    flow = Flow(row.pk, stages, len(row.destinations), drop=False)
    Checkpoint.objects.create(
        pipeline=row,
        latest=True,
        version=row.version,
        body=msgspec.json.encode(flow.snapshot()).decode(),
        metrics=msgspec.to_builtins(flow.measured()),
        inbox=0,
    )


def _require(row: Pipeline, *statuses: str) -> None:
    if row.status not in statuses:
        raise ClawError("pipeline_status", f"The pipeline is {row.status}: start it first.")
