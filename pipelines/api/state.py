"""How pipelines are: numbers, health, checkpoints."""

import time
from datetime import timedelta

import msgspec
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from agents.caller import Caller
from core.http import Answer, newest, page_of, read
from pipelines import models
from pipelines.access import inbox
from pipelines.access import pipelines as access
from pipelines.api import objects
from pipelines.api.callers import reader, writer
from pipelines.api.pipelines import shown
from pipelines.flow.metrics import Measured, throughput

RECENT = timedelta(minutes=5)
"""For so long an error makes a pipeline degraded."""
HIGH = 0.8
"""The back-pressure from which on the destinations are too slow."""

_restoration = msgspec.json.Decoder(objects.Restoration)


def metrics(request: HttpRequest, caller: Caller, pipeline_id: str) -> Answer:
    """`GET .../metrics`."""
    return Answer(metrics_of(access.pipeline(reader(caller), pipeline_id)))


def metrics_of(row: models.Pipeline) -> objects.Metrics:
    """The numbers of a pipeline, as its latest checkpoint has them."""
    latest = access.latest_of([row])[row.pk]
    measured = _measured(latest)
    counters = measured.counters
    waiting = row.appended - latest.inbox
    return objects.Metrics(
        items_processed=counters.received - measured.in_flight,
        items_failed=counters.failed,
        items_filtered=counters.filtered,
        items_late=counters.late,
        received=counters.received,
        delivered=counters.delivered,
        filtered=counters.filtered,
        failed=counters.failed,
        late=counters.late,
        in_flight=measured.in_flight,
        throughput=throughput(measured.rates, time.time()),
        latency=measured.latency,
        backpressure=measured.backpressure,
        lag=objects.Lag(waiting, inbox.age(row.pk, latest.inbox) if waiting else 0.0),
        last_checkpoint_at=latest.created_at if row.started_at else None,
    )


def health(request: HttpRequest, caller: Caller, pipeline_id: str) -> Answer:
    """`GET .../health`."""
    return Answer(health_of(access.pipeline(reader(caller), pipeline_id)))


def health_of(row: models.Pipeline) -> objects.Health:
    """Whether a pipeline does what it should."""
    now, status = timezone.now(), row.status
    unowned = row.free_at < now - timedelta(seconds=settings.CLAW_RUN_LEASE)
    reasons = []
    if status == models.Pipeline.Status.FAILED:
        reasons.append("The pipeline has failed.")
    if status == models.Pipeline.Status.RUNNING and unowned:
        reasons.append("No process carries the pipeline out.")
    bad = bool(reasons)
    if row.last_error_at is not None and now - row.last_error_at < RECENT:
        reasons.append("There was an error in the last minutes.")
    measured = _measured(access.latest_of([row])[row.pk])
    if status == models.Pipeline.Status.RUNNING and measured.backpressure > HIGH:
        reasons.append("The destinations are too slow.")
    live = status in (*access.LIVE, models.Pipeline.Status.FAILED)
    found: objects.HealthName = "unhealthy" if bad else "degraded" if reasons else "healthy"
    return objects.Health(
        status=found if live else "stopped",
        reasons=reasons,
        last_error=row.last_error or None,
        last_error_at=row.last_error_at,
    )


def stats(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /api/streaming/stats`."""
    rows = list(access.pipelines_of(reader(caller)))
    measured = [_measured(each) for each in access.latest_of(rows).values()]
    by_status = dict.fromkeys(models.Pipeline.Status.values, 0)
    for row in rows:
        by_status[row.status] += 1
    return Answer(
        objects.Stats(
            pipelines=len(rows),
            by_status=by_status,
            items_processed=sum(each.counters.received - each.in_flight for each in measured),
            items_failed=sum(each.counters.failed for each in measured),
            throughput=round(sum(throughput(each.rates, time.time()) for each in measured), 3),
        )
    )


def checkpoints(request: HttpRequest, caller: Caller, pipeline_id: str) -> Answer:
    """`GET .../checkpoints`: the newest first."""
    row = access.pipeline(reader(caller), pipeline_id)
    rows, cursor = newest(access.checkpoints_of(row).defer("body"), page_of(request))
    found = list(map(_checkpoint, rows))
    return Answer(objects.CheckpointPage(checkpoints=found, next_cursor=cursor))


def keep(request: HttpRequest, caller: Caller, pipeline_id: str) -> Answer:
    """`POST .../checkpoints`: 201; the latest checkpoint is kept."""
    row = access.pipeline(writer(caller), pipeline_id)
    return Answer(_checkpoint(access.keep_checkpoint(row)), 201)


def forget(
    request: HttpRequest, caller: Caller, pipeline_id: str, checkpoint_id: str
) -> HttpResponse:
    """`DELETE .../checkpoints/{id}`: 204. Raises `in_use` for the latest."""
    row = access.pipeline(writer(caller), pipeline_id)
    access.forget_checkpoint(access.checkpoint(row, checkpoint_id))
    return HttpResponse(status=204)


@transaction.atomic
def restore(request: HttpRequest, caller: Caller, pipeline_id: str) -> Answer:
    """`POST .../restore`: the pipeline goes on from a checkpoint."""
    organization_id = writer(caller)
    body = read(_restoration, request)
    row = access.pipeline(organization_id, pipeline_id, lock=True)
    access.restore(row, access.checkpoint(row, body.checkpoint_id))
    return Answer(shown(row, caller))


def _measured(latest: models.Checkpoint) -> Measured:
    return msgspec.convert(latest.metrics, Measured)


def _checkpoint(row: models.Checkpoint) -> objects.Checkpoint:
    return objects.Checkpoint(
        id=row.id, latest=row.latest, version=row.version, created_at=row.created_at
    )
