"""`/api/streaming/tables`: what pipelines have written for the organisation."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse

from agents.caller import Caller
from core.http import Answer, csv_of, page_of
from engine.errors import invalid
from pipelines.access import tables as access
from pipelines.api import objects
from pipelines.api.callers import reader, writer
from pipelines.graph.items import Data

MAX_CSV_ROWS = 10_000


def index(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /api/streaming/tables`: all of them, there are few."""
    rows = access.tables_of(reader(caller)).order_by("name")
    found = [objects.Table(name=row.name, rows=row.rows, created_at=row.created_at) for row in rows]
    return Answer(objects.TableList(tables=found, next_cursor=None))


def rows(request: HttpRequest, caller: Caller, table_name: str) -> HttpResponse:
    """`GET /api/streaming/tables/{name}/rows`: the newest first, as JSON or CSV."""
    found = access.rows_of(access.table(reader(caller), table_name)).order_by("-id")
    page = page_of(request)
    if request.accepts("text/csv") and not request.accepts("application/json"):
        return _csv(table_name, [_data(row) for row in found[:MAX_CSV_ROWS]])
    if page.before is not None:
        if not (page.before.isascii() and page.before.isdigit() and len(page.before) < 19):
            raise invalid("before", "This is not the cursor of a page.")
        found = found.filter(id__lt=int(page.before))
    some = list(found[: page.limit + 1])
    more = len(some) > page.limit
    some = some[: page.limit]
    cursor = str(some[-1].pk) if more else None
    return Answer(objects.RowPage(rows=list(map(_data, some)), next_cursor=cursor))


def remove(request: HttpRequest, caller: Caller, table_name: str) -> HttpResponse:
    """`DELETE /api/streaming/tables/{name}`: 204; with its rows."""
    access.table(writer(caller), table_name).delete()
    return HttpResponse(status=204)


def _data(row: Any) -> Data:
    data: Data = msgspec.json.decode(row.data)
    return data


def _csv(name: str, found: list[Data]) -> HttpResponse:
    answer = HttpResponse(csv_of(_lines(found)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _lines(found: list[Data]) -> Iterator[Sequence[Any]]:
    names = list(dict.fromkeys(name for data in found for name in data))
    yield names
    for data in found:
        yield [_cell(data.get(name)) for name in names]


def _cell(value: Any) -> Any:
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list) else value
