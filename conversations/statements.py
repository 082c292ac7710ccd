"""Statements that Django takes longer to compose than a database to carry out.

Rows are given as a table of their own: to PostgreSQL as one JSON text, which it takes apart at the
types of the columns, so that the statement is the same for any number of them and psycopg finds it
in its cache; to SQLite as a list of values.

Values are of the types that the fields say: what is not, Django would convert or refuse, and JSON
has its own opinion of it (NaN is null there)."""

from collections.abc import Callable, Sequence
from functools import cache
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

PLAIN = (CharField, TextField, IntegerField, BooleanField, ForeignKey)
"""Fields whose values SQLite takes as they are; keys of other tables are texts and numbers."""


def insert_rows(rows: Sequence[Model]) -> None:
    """Store new rows of one model in one statement: what `bulk_create` does, at a fifth of its
    cost. Synchronous. Raises IntegrityError."""
    if not rows:
        return
    # Not `django.db.connection`, which looks for this one whenever it is touched.
    connection = connections[DEFAULT_DB_ALIAS]
    model = type(rows[0])
    for row in rows:
        _complete(row)
    given, values = _given(rows, _columns(model), connection)
    head, tail = _insertion(model)
    with connection.cursor() as cursor:
        cursor.execute(head + given + tail, values)
        for row, (key,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = key
            row._state.adding, row._state.db = False, connection.alias


def update_rows(rows: Sequence[Model], fields: Sequence[str]) -> None:
    """Write `fields` of `rows`, which are of one model, in one statement: what `bulk_update` does,
    at a tenth of its cost. Synchronous. A row that is gone stays gone."""
    if not rows:
        return
    connection = connections[DEFAULT_DB_ALIAS]
    model, names = type(rows[0]), tuple(fields)
    given, values = _given(rows, _keyed(model, names), connection)
    with connection.cursor() as cursor:
        cursor.execute(given + _change(model, names), values)


def read_rows(statement: str, keys: Sequence[str], *, lock: bool = False) -> list[tuple[Any, ...]]:
    """What a statement with `IN ({keys})` finds. `lock`: the rows, to the end of the transaction
    (SQLite has one writer, and needs none). Synchronous."""
    if not keys:
        return []
    connection = connections[DEFAULT_DB_ALIAS]
    sql = statement.format(keys=places(len(keys)))
    if lock and connection.features.has_select_for_update:
        sql += " FOR UPDATE"
    with connection.cursor() as cursor:
        cursor.execute(sql, keys)
        return cursor.fetchall()


def places(count: int) -> str:
    """Where so many values go in a statement."""
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


@cache
def _recordset(fields: tuple[Field, ...]) -> str:
    connection = connections[DEFAULT_DB_ALIAS]
    columns = ", ".join(f'"{field.column}" {field.cast_db_type(connection)}' for field in fields)
    # The limit tells the planner how many they are: it would read whole tables for a hundred.
    source = f"json_to_recordset(%s) AS given ({columns}) LIMIT %s"
    return f"WITH given AS (SELECT * FROM {source}) "


@cache
def _prepared(fields: tuple[Field, ...]) -> list[tuple[str, Callable[..., Any] | None]]:
    """Where the values are, and what makes them SQLite's, if they are not."""
    return [(f.attname, None if isinstance(f, PLAIN) else f.get_db_prep_save) for f in fields]


@cache
def _columns(model: type[Model]) -> tuple[Field, ...]:
    """What a new row says; the database itself makes some keys."""
    meta = model._meta
    return tuple(field for field in meta.local_concrete_fields if field is not meta.auto_field)


@cache
def _keyed(model: type[Model], names: tuple[str, ...]) -> tuple[Field, ...]:
    """What a changed row says, its key first."""
    return (model._meta.pk, *map(model._meta.get_field, names))


@cache
def _insertion(model: type[Model]) -> tuple[str, str]:
    """What stands before the rows that are given, and what behind them."""
    meta, names = model._meta, _names(_columns(model))
    tail = f'SELECT {names} FROM given RETURNING "{meta.pk.column}"'
    return f'INSERT INTO "{meta.db_table}" ({names}) ', tail


@cache
def _change(model: type[Model], names: tuple[str, ...]) -> str:
    """What stands behind the rows that are given."""
    meta = model._meta
    table, key = f'"{meta.db_table}"', f'"{meta.pk.column}"'
    changes = [f'"{field.column}" = given."{field.column}"' for field in _keyed(model, names)[1:]]
    return f"UPDATE {table} SET {', '.join(changes)} FROM given WHERE {table}.{key} = given.{key}"


def _names(fields: tuple[Field, ...]) -> str:
    return ", ".join(f'"{field.column}"' for field in fields)


def _complete(row: Model) -> None:
    """What only storing tells a row: when, and the keys of rows that were stored a moment ago."""
    for field in _late(type(row)):
        if field.is_relation and field.is_cached(row):
            setattr(row, field.name, getattr(row, field.name))
        field.pre_save(row, add=True)


@cache
def _late(model: type[Model]) -> list[Field]:
    fields = _columns(model)
    return [field for field in fields if field.is_relation or isinstance(field, DateTimeField)]
