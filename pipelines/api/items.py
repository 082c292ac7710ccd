"""Items: put into a pipeline, tried out, and those that failed."""

import hashlib
import time
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse

from accounts import idempotency
from agents.caller import Caller
from conversations.transports.rest.routing import check_method
from core.database import database_step
from core.http import Answer, newest, page_of, read
from engine.errors import ClawError, invalid
from pipelines import models
from pipelines.access import failures as failed
from pipelines.access import inbox
from pipelines.access import pipelines as access
from pipelines.api import objects
from pipelines.api.callers import reader, writer
from pipelines.definition import definition_of
from pipelines.graph.chain import Chain
from pipelines.graph.items import Data, Item, Tally
from wire import parse

NDJSON = "application/x-ndjson"

_one = msgspec.json.Decoder(objects.OneItem)
_some = msgspec.json.Decoder(objects.SomeItems)
_retry = msgspec.json.Decoder(objects.Retry)
_any = msgspec.json.Decoder()
_list = msgspec.json.Decoder(objects.Items)
_object = msgspec.json.Decoder(objects.ItemData)


def process(request: HttpRequest, caller: Caller, pipeline_id: str) -> Answer:
    """`POST .../process`: 202; the item is stored."""
    organization_id = writer(caller)
    return _put(access.pipeline(organization_id, pipeline_id), [read(_one, request).item])


def batch(request: HttpRequest, caller: Caller, pipeline_id: str) -> Answer:
    """`POST .../batch`: 202; the items are stored."""
    organization_id = writer(caller)
    return _put(access.pipeline(organization_id, pipeline_id), read(_some, request).items)


async def ingest(
    request: HttpRequest, pipeline_id: str, secret: str, slug: str | None = None
) -> HttpResponse:
    """`POST /api/streaming/ingest/{id}/{secret}`: 202; an object, an array of them, or NDJSON.
    Below the address of an agent it is the same."""
    check_method(request, ["POST"])
    answer: HttpResponse = await database_step(_ingest, request, pipeline_id, secret)
    return answer


def test(request: HttpRequest, caller: Caller, pipeline_id: str) -> Answer:
    """`POST .../test`: what each stage makes of some items."""
    organization_id = reader(caller)
    items = read(_some, request).items
    row = access.pipeline(organization_id, pipeline_id)
    return Answer(tried(row, items))


def tried(row: models.Pipeline, items: list[Data]) -> objects.TestResult:
    """What the stages of a pipeline make of some items."""
    stages = definition_of(row).transforms
    now, tally = round(time.time() * 1000), Tally()
    given = [Item(f"test_{number}", data, now) for number, data in enumerate(items, 1)]
    made = Chain(stages, row.pk).trace(given, now, tally)
    results = [
        objects.StageResult(stage["type"], [item.data for item in some])
        for stage, some in zip(row.transforms, made, strict=True)
    ]
    output = [item.data for item in made[-1]] if made else items
    unprocessed = [
        objects.Unprocessed(each.stage, each.item.data, each.reason) for each in tally.failed
    ]
    late = sum(item.weight for item in tally.late)
    return objects.TestResult(results, output, unprocessed, late, tally.filtered)


def failures(request: HttpRequest, caller: Caller, pipeline_id: str) -> Answer:
    """`GET .../failures`: the newest first."""
    row = access.pipeline(reader(caller), pipeline_id)
    rows, cursor = newest(failed.failures_of(row), page_of(request))
    return Answer(objects.FailurePage(failures=list(map(_failure, rows)), next_cursor=cursor))


def retry(request: HttpRequest, caller: Caller, pipeline_id: str) -> Answer:
    """`POST .../failures/retry`: 202; they are tried again while the pipeline runs."""
    organization_id = writer(caller)
    ids = read(_retry, request).ids
    row = access.pipeline(organization_id, pipeline_id)
    count = failed.retry(row, None if ids is msgspec.UNSET else ids)
    return Answer(objects.AcceptedItems(count), 202)


def discard(request: HttpRequest, caller: Caller, pipeline_id: str) -> HttpResponse:
    """`DELETE .../failures`: 204; all of them are forgotten."""
    failed.discard(access.pipeline(writer(caller), pipeline_id))
    return HttpResponse(status=204)


def _put(row: models.Pipeline, items: list[Data]) -> Answer:
    for number, item in enumerate(items):
        if len(msgspec.json.encode(item)) > objects.MAX_ITEM_BYTES:
            raise ClawError(
                "message_too_large",
                f"An item has at most {objects.MAX_ITEM_BYTES} bytes of JSON.",
                details={"field": f"items[{number}]"},
            )
    return Answer(objects.AcceptedItems(inbox.append(row.pk, items)), 202)


def _ingest(request: HttpRequest, pipeline_id: str, secret: str) -> HttpResponse:
    row = inbox.pipeline_of_secret(pipeline_id, secret)
    items = _posted(request)
    key = idempotency.key_of(request)
    if key is None:
        return _put(row, items)
    attempt = idempotency.Attempt(
        organization_id=row.organization_id,
        sender=row.pk,
        name=key,
        fingerprint=hashlib.sha256(request.body).hexdigest(),
    )
    return idempotency.once(attempt, lambda: _put(row, items))


def _posted(request: HttpRequest) -> list[Data]:
    """The items of a body. Raises `invalid_message`."""
    if request.content_type == NDJSON:
        lines = [line for line in request.body.split(b"\n") if line.strip()]
        found = [_decoded(line, number) for number, line in enumerate(lines)]
    else:
        body: Any = parse.decode(_any, request.body)
        found = parse.decode(_list, request.body) if isinstance(body, list) else [body]
    if not 1 <= len(found) <= objects.MAX_ITEMS:
        raise invalid("$", f"Send 1 to {objects.MAX_ITEMS} items at once.")
    if not all(isinstance(item, dict) for item in found):
        raise invalid("$", "An item is a JSON object.")
    return found


def _decoded(line: bytes, number: int) -> Data:
    try:
        return _object.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise invalid(f"[{number}]", f"Line {number + 1} is no JSON object.") from None


def _failure(row: models.Failure) -> objects.Failure:
    item = msgspec.json.decode(row.item, type=Item)
    return objects.Failure(
        id=row.id,
        item_id=item.id,
        item=item.data,
        reason=row.reason,
        stage=row.stage,
        destination=row.destination,
        late=row.late,
        retrying=row.retried,
        created_at=row.created_at,
    )
