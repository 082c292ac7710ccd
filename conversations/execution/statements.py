"""Statements that Django takes longer to compose than a database to carry out."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model


def insert_rows(rows: Sequence[Model]) -> None:
    """Store new rows of one model in one statement: what `bulk_create` does, at a fifth of its
    cost. Synchronous. Raises IntegrityError."""
    if not rows:
        return
    # Not `django.db.connection`, which looks for this one whenever it is touched.
    connection = connections[DEFAULT_DB_ALIAS]
    model = type(rows[0])
    head, place, tail = _insertion(model, connection.vendor)
    sql = f"{head} VALUES {', '.join([place] * len(rows))} {tail}"
    with connection.cursor() as cursor:
        cursor.execute(sql, [_new(f, row, connection) for row in rows for f in _columns(model)])
        for row, (key,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = key
            row._state.adding, row._state.db = False, connection.alias


def update_rows(rows: Sequence[Model], fields: Sequence[str]) -> None:
    """Write `fields` of `rows`, which are of one model, in one statement: what `bulk_update` does,
    at a tenth of its cost. Synchronous. A row that is gone stays gone."""
    if not rows:
        return
    connection = connections[DEFAULT_DB_ALIAS]
    model = type(rows[0])
    given = _given(model, tuple(fields))
    head, place, tail = _change(model, tuple(fields), connection.vendor)
    sql = f"{head} (VALUES {', '.join([place] * len(rows))}) {tail}"
    with connection.cursor() as cursor:
        cursor.execute(sql, [_stored(field, row, connection) for row in rows for field in given])


@cache
def _columns(model: type[Model]) -> list[Field]:
    """What a new row says; the database itself makes some keys."""
    meta = model._meta
    return [field for field in meta.local_concrete_fields if field is not meta.auto_field]


@cache
def _given(model: type[Model], fields: tuple[str, ...]) -> list[Field]:
    """What a changed row says, its key first."""
    return [model._meta.pk, *map(model._meta.get_field, fields)]


@cache
def _insertion(model: type[Model], vendor: str) -> tuple[str, str, str]:
    """What stands before the rows' places, the place of one, and what stands behind them."""
    connection, meta, columns = connections[DEFAULT_DB_ALIAS], model._meta, _columns(model)
    quote = connection.ops.quote_name
    head = f"INSERT INTO {quote(meta.db_table)} ({_names(columns, connection)})"
    return head, _place(columns), f"RETURNING {quote(meta.pk.column)}"


@cache
def _change(model: type[Model], fields: tuple[str, ...], vendor: str) -> tuple[str, str, str]:
    """The same of `update_rows`."""
    connection, meta = connections[DEFAULT_DB_ALIAS], model._meta
    quote = connection.ops.quote_name
    given = _given(model, fields)
    table, key = quote(meta.db_table), quote(meta.pk.column)
    changes = [f"{quote(field.column)} = {_value(field, connection)}" for field in given[1:]]
    tail = (
        f"UPDATE {table} SET {', '.join(changes)}"
        f" FROM given WHERE {table}.{key} = {_value(meta.pk, connection)}"
    )
    return f"WITH given ({_names(given, connection)}) AS", _place(given), tail


def _names(fields: Sequence[Field], connection: BaseDatabaseWrapper) -> str:
    return ", ".join(connection.ops.quote_name(field.column) for field in fields)


def _place(fields: Sequence[Field]) -> str:
    return f"({', '.join(['%s'] * len(fields))})"


def _value(field: Field, connection: BaseDatabaseWrapper) -> str:
    """A column of `given`. PostgreSQL takes what is only NULL or quoted there for text."""
    name = f"given.{connection.ops.quote_name(field.column)}"
    if not connection.features.requires_casted_case_in_updates:
        return name
    return f"CAST({name} AS {field.cast_db_type(connection)})"


def _stored(field: Field, row: Model, connection: BaseDatabaseWrapper) -> Any:
    return field.get_db_prep_save(getattr(row, field.attname), connection)


def _new(field: Field, row: Model, connection: BaseDatabaseWrapper) -> Any:
    if field.is_relation and field.is_cached(row):  # which may have been stored a moment ago
        setattr(row, field.name, getattr(row, field.name))
    return field.get_db_prep_save(field.pre_save(row, add=True), connection)
