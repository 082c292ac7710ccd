"""`/api/streaming/pipelines`: the pipelines, and what is done with them."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from msgspec import UNSET

from agents.caller import Caller
from agents.public.addresses import site_url
from core.http import Answer, newest, page_of, read
from engine.errors import invalid
from pipelines import models
from pipelines.access import pipelines as access
from pipelines.api import objects
from pipelines.api.callers import reader, writer
from pipelines.definition import Definition, check, definition_of, names_secrets
from wire.parse import check_storable

HIDDEN = "********"

_new = msgspec.json.Decoder(objects.NewPipeline)
_fields = msgspec.json.Decoder(objects.PipelineFields)


def index(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /api/streaming/pipelines`: the newest first."""
    rows, cursor = newest(access.pipelines_of(reader(caller)), page_of(request))
    found = [shown(row, caller) for row in rows]
    return Answer(objects.PipelinePage(pipelines=found, next_cursor=cursor))


def create(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/streaming/pipelines`: 201; it does not run yet."""
    organization_id = writer(caller)
    body = read(_new, request)
    given = _given(request, body)
    columns = {"transforms": [], **_columns(given)}
    _check(definition_of(models.Pipeline(**columns)), caller, given)
    return _with_secret(access.create(organization_id, columns), 201)


def show(request: HttpRequest, caller: Caller, pipeline_id: str) -> Answer:
    """`GET /api/streaming/pipelines/{id}`."""
    return Answer(shown(access.pipeline(reader(caller), pipeline_id), caller))


@transaction.atomic
def change(request: HttpRequest, caller: Caller, pipeline_id: str) -> Answer:
    """`PATCH /api/streaming/pipelines/{id}`: what the body names, as a new version."""
    organization_id = writer(caller)
    body = read(_fields, request)
    row = access.pipeline(organization_id, pipeline_id, lock=True)
    given = _given(request, body)
    columns = _columns(given)
    for name, value in columns.items():
        setattr(row, name, value)
    _check(definition_of(row), caller, given)
    access.change(row, columns)
    return Answer(shown(row, caller))


def remove(request: HttpRequest, caller: Caller, pipeline_id: str) -> HttpResponse:
    """`DELETE /api/streaming/pipelines/{id}`: 204; what it holds is gone."""
    access.pipeline(writer(caller), pipeline_id).delete()
    return HttpResponse(status=204)


@transaction.atomic
def _moved(
    move: Callable[[models.Pipeline], None],
    request: HttpRequest,
    caller: Caller,
    pipeline_id: str,
) -> Answer:
    row = access.pipeline(writer(caller), pipeline_id, lock=True)
    move(row)
    return Answer(shown(row, caller))


start = partial(_moved, access.start)
pause = partial(_moved, access.pause)
resume = partial(_moved, access.resume)
stop = partial(_moved, access.stop)


def shown(row: models.Pipeline, caller: Caller) -> objects.Pipeline:
    """A pipeline as this caller may see it."""
    full = "pipelines:write" in caller.principal.scopes
    return _object(row, row.secret if full else HIDDEN)


def _object(row: models.Pipeline, secret: str) -> objects.Pipeline:
    takes = row.source["type"] == "webhook"
    alone = len(row.destinations) == 1
    return objects.Pipeline(
        id=row.id,
        name=row.name,
        status=row.status,
        stopping=row.stopping,
        version=row.version,
        source=row.source,
        transforms=row.transforms,
        destinations=row.destinations,
        destination=row.destinations[0] if alone else UNSET,
        on_error=row.on_error,
        from_=row.start_from,
        ingest_url=f"{site_url()}/api/streaming/ingest/{row.id}/{secret}" if takes else UNSET,
        last_error=row.last_error or None,
        last_error_at=row.last_error_at,
        created_at=row.created_at,
        started_at=row.started_at,
    )


def _with_secret(row: models.Pipeline, status: int) -> Answer:
    """The address in full: in this answer alone, which is not kept for the same request again."""
    full = _object(row, row.secret)
    secret = {} if full.ingest_url is UNSET else {"ingestUrl": full.ingest_url}
    return Answer(_object(row, HIDDEN), status, secret=secret)


def _given(
    request: HttpRequest, body: objects.NewPipeline | objects.PipelineFields
) -> dict[str, Any]:
    """What the body names, as it was written. Raises `invalid_message`."""
    given: dict[str, Any] = json.loads(request.body or b"{}")
    if "\\u0000" in json.dumps(given):
        raise invalid("$", "A pipeline has no NUL character.")
    check_storable("name", given.get("name", ""))
    if "destination" in given and "destinations" in given:
        raise invalid("destinations", "Give either `destination` or `destinations`.")
    if isinstance(body, objects.NewPipeline) and not {"destination", "destinations"} & set(given):
        raise invalid("destination", "A pipeline has a destination.")
    return given


def _columns(given: dict[str, Any]) -> dict[str, Any]:
    """The same by the names of the columns."""
    names = {"onError": "on_error", "from": "start_from"}
    columns = {names.get(name, name): value for name, value in given.items()}
    if "destination" in columns:
        columns["destinations"] = [columns.pop("destination")]
    return columns


def _check(definition: Definition, caller: Caller, given: dict[str, Any]) -> None:
    """Raise `invalid_message` for parts that make no sense, and `forbidden` unless the caller may
    send the secrets that are named."""
    check(definition, "destination" if "destination" in given else "destinations[{}]")
    changed = {"destination", "destinations"} & set(given)
    if changed and names_secrets(definition):
        caller.principal.require("admin")
