"""The tables that an organisation's pipelines write to."""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from engine.errors import ClawError
from pipelines.graph.items import Data
from pipelines.graph.paths import MISSING, getter
from pipelines.models import Row, Table

MAX_TABLES = 50
"""Of one organisation."""
MAX_ROWS = 100_000
"""Of one table."""


class TableFull(Exception):
    """There is no room. The message is for people."""


class Change(NamedTuple):
    """What is done with rows: `insert`, `upsert` or `update`, and the fields that tell rows
    apart."""

    table: str
    operation: str
    conflict_fields: Sequence[str]


def tables_of(organization_id: str) -> QuerySet[Table]:
    """The organisation's tables."""
    return Table.objects.filter(organization=organization_id)


def table(organization_id: str, name: str) -> Table:
    """One of the organisation's tables. Raises `not_found`."""
    found = None if "\0" in name else tables_of(organization_id).filter(name=name).first()
    if found is None:
        raise ClawError("not_found", "There is no such table.")
    return found


def rows_of(found: Table) -> QuerySet[Row]:
    """The rows of a table."""
    return Row.objects.filter(table=found)


@transaction.atomic
def write(organization_id: str, change: Change, rows: Sequence[tuple[str, Data]]) -> None:
    """Store items, given with their ids. One that comes twice is stored once. Raises `TableFull`,
    and then stores nothing."""
    found = _locked(organization_id, change.table)
    keyed = {_key(change, item_id, data): data for item_id, data in rows}
    known = set(Row.objects.filter(table=found, key__in=keyed).values_list("key", flat=True))
    if change.operation != "insert":
        for key in known:
            row = Row.objects.get(table=found, key=key)
            row.data = _encoded({**msgspec.json.decode(row.data), **keyed[key]})
            row.updated_at = timezone.now()
            row.save(update_fields=["data", "updated_at"])
    if change.operation == "update":
        return
    new = [
        Row(table=found, key=key, data=_encoded(data))
        for key, data in keyed.items()
        if key not in known
    ]
    if found.rows + len(new) > MAX_ROWS:
        raise TableFull(f"The table “{change.table}” has {MAX_ROWS} rows: it takes no more.")
    Row.objects.bulk_create(new)
    Table.objects.filter(pk=found.pk).update(rows=F("rows") + len(new))


def _locked(organization_id: str, name: str) -> Table:
    """The table, which is made if it is not there yet."""
    found = tables_of(organization_id).select_for_update().filter(name=name).first()
    if found is not None:
        return found
    if tables_of(organization_id).count() >= MAX_TABLES:
        raise TableFull(f"An organisation has at most {MAX_TABLES} tables.")
    Table.objects.get_or_create(organization_id=organization_id, name=name)
    return tables_of(organization_id).select_for_update().get(name=name)


def _encoded(data: Data) -> str:
    return msgspec.json.encode(data).decode()


def _key(change: Change, item_id: str, data: Data) -> str:
    if change.operation == "insert":
        return sha256(item_id.encode()).hexdigest()
    values = [getter(field)(data) for field in change.conflict_fields]
    told = [None if value is MISSING else value for value in values]
    return sha256(msgspec.json.encode(told, order="sorted")).hexdigest()
