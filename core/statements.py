"""Statements that Django takes longer to compose than a database to carry out.

Rows are given as a table of their own: to PostgreSQL as one JSON text, which it takes apart at the
types of the columns, so that the statement is the same for any number of them and psycopg finds it
in its cache; to SQLite as a list of values.

Values are of the types that the fields say: what is not, Django would convert or refuse, and JSON
has its own opinion of it (NaN is null there)."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    BooleanField,
    CharField,
    DateTimeField,
    Field,
    ForeignKey,
    IntegerField,
    Model,
    TextField,
)

from core.cache import cached
from core.chunks import chunks

PLAIN = (CharField, TextField, IntegerField, BooleanField, ForeignKey)
"""Fields whose values SQLite takes as they are; keys of other tables are texts and numbers."""


def insert_rows(rows: Sequence[Model]) -> None:
    """Store new rows of one model, as many in a statement as it can take: what `bulk_create`
    does, at a fifth of its cost. Synchronous. Raises IntegrityError."""
    if not rows:
        return
    # Not `django.db.connection`, which looks for this one whenever it is touched.
    connection = connections[DEFAULT_DB_ALIAS]
    model = type(rows[0])
    for row in rows:
        _complete(row)
    columns = _columns(model)
    head, tail = _insertion(model)
    with connection.cursor() as cursor:
        for some in chunks(rows, len(columns)):
            given, values = _given(some, columns, connection)
            cursor.execute(head + given + tail, values)
            for row, (key,) in zip(some, cursor.fetchall(), strict=True):
                row.pk = key
                row._state.adding, row._state.db = False, connection.alias


def update_rows(rows: Sequence[Model], fields: Sequence[str]) -> None:
    """Write `fields` of `rows`, which are of one model, as many in a statement as it can take:
    what `bulk_update` does, at a tenth of its cost. Synchronous. A row that is gone stays gone."""
    if not rows:
        return
    connection = connections[DEFAULT_DB_ALIAS]
    model, names = type(rows[0]), tuple(fields)
    columns = _keyed(model, names)
    with connection.cursor() as cursor:
        for some in chunks(rows, len(columns)):
            given, values = _given(some, columns, connection)
            cursor.execute(given + _change(model, names), values)


def read_rows(statement: str, keys: Sequence[str], *, lock: bool = False) -> list[tuple[Any, ...]]:
    """The rows that a statement with `IN ({keys})` finds, for as many keys at once as it can take.
    `lock` locks the rows to the end of the transaction (SQLite has one writer, and needs no lock).
    Name them in one order, or two transactions with the same rows would wait for each other.
    Synchronous."""
    connection = connections[DEFAULT_DB_ALIAS]
    ending = " FOR UPDATE" if lock and connection.features.has_select_for_update else ""
    found = []
    with connection.cursor() as cursor:
        for some in chunks(keys):
            cursor.execute(statement.format(keys=places(len(some))) + ending, some)
            found += cursor.fetchall()
    return found


def places(count: int) -> str:
    """The placeholders of `count` values."""
    return ", ".join(["%s"] * count)


def _given(
    rows: Sequence[Model], fields: tuple[Field, ...], connection: BaseDatabaseWrapper
) -> tuple[str, list[Any]]:
    """A `WITH` clause that calls the rows `given`, and its parameters."""
    if connection.vendor == "postgresql":
        plain = [{field.column: getattr(row, field.attname) for field in fields} for row in rows]
        return _recordset(fields), [msgspec.json.encode(plain).decode(), len(rows)]
    table = ", ".join([f"({places(len(fields))})"] * len(rows))
    prepared = _prepared(fields)
    values = [
        prepare(getattr(row, name), connection) if prepare else getattr(row, name)
        for row in rows
        for name, prepare in prepared
    ]
    return f"WITH given ({_names(fields)}) AS (VALUES {table}) ", values


@cached
def _recordset(fields: tuple[Field, ...]) -> str:
    connection = connections[DEFAULT_DB_ALIAS]
    columns = ", ".join(f'"{field.column}" {field.cast_db_type(connection)}' for field in fields)
    # The limit tells the planner how many they are: it would read whole tables for a hundred.
    source = f"json_to_recordset(%s) AS given ({columns}) LIMIT %s"
    return f"WITH given AS (SELECT * FROM {source}) "


@cached
def _prepared(fields: tuple[Field, ...]) -> list[tuple[str, Callable[..., Any] | None]]:
    """For each field, the name of its attribute and the adapter that SQLite needs, if any."""
    return [(f.attname, None if isinstance(f, PLAIN) else f.get_db_prep_save) for f in fields]


@cached
def _columns(model: type[Model]) -> tuple[Field, ...]:
    """The fields of a new row; the database itself makes some keys."""
    meta = model._meta
    return tuple(field for field in meta.local_concrete_fields if field is not meta.auto_field)


@cached
def _keyed(model: type[Model], names: tuple[str, ...]) -> tuple[Field, ...]:
    """The fields of a changed row, its key first."""
    return (model._meta.pk, *map(model._meta.get_field, names))


@cached
def _insertion(model: type[Model]) -> tuple[str, str]:
    """The SQL before and after the rows of an insertion."""
    meta, names = model._meta, _names(_columns(model))
    tail = f'SELECT {names} FROM given RETURNING "{meta.pk.column}"'
    return f'INSERT INTO "{meta.db_table}" ({names}) ', tail


@cached
def _change(model: type[Model], names: tuple[str, ...]) -> str:
    """The SQL after the rows of an update."""
    meta = model._meta
    table, key = f'"{meta.db_table}"', f'"{meta.pk.column}"'
    changes = [f'"{field.column}" = given."{field.column}"' for field in _keyed(model, names)[1:]]
    return f"UPDATE {table} SET {', '.join(changes)} FROM given WHERE {table}.{key} = given.{key}"


def _names(fields: tuple[Field, ...]) -> str:
    return ", ".join(f'"{field.column}"' for field in fields)


def _complete(row: Model) -> None:
    """Fills in the times of storing, and the keys of related rows that were stored a moment ago."""
    for field in _late(type(row)):
        if field.is_relation and field.is_cached(row):
            setattr(row, field.name, getattr(row, field.name))
        field.pre_save(row, add=True)


@cached
def _late(model: type[Model]) -> list[Field]:
    fields = _columns(model)
    return [field for field in fields if field.is_relation or isinstance(field, DateTimeField)]
