"""Rows with what they refer to, where Django takes longer to compose the question than a database
to answer it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model
from django.db.models.expressions import Col

from core.cache import cached
from core.statements import read_rows

Row = TypeVar("Row", bound=Model)
Converter = Callable[[Any, Col, BaseDatabaseWrapper], Any]


def load(model: type[Row], related: tuple[str, ...], keys: Sequence[str]) -> dict[str, Row]:
    """Rows by their keys, with the rows that their fields `related` (never null) refer to: what
    `select_related(*related).in_bulk(keys)` does, at a third of its cost. Synchronous."""
    statement, parts = _selection(model, related)
    connection = connections[DEFAULT_DB_ALIAS]
    found = {}
    for values in read_rows(statement, keys):
        row, *others = [part.row(values, connection) for part in parts]
        for name, other in zip(related, others, strict=True):
            setattr(row, name, other)
        found[row.pk] = row
    return found


class Part(NamedTuple):
    """The columns of one model among all that were read."""

    model: type[Model]
    columns: slice
    names: list[str]
    converted: list[tuple[int, Col, list[Converter]]]
    """By their places: columns whose values are not the field's yet."""

    def row(self, values: Sequence[Any], connection: BaseDatabaseWrapper) -> Model:
        """Its instance."""
        mine = list(values[self.columns])
        for place, column, converters in self.converted:
            for convert in converters:
                mine[place] = convert(mine[place], column, connection)
        return self.model.from_db(connection.alias, self.names, mine)


@cached
def _selection(model: type[Model], related: tuple[str, ...]) -> tuple[str, list[Part]]:
    """The statement, with `IN ({keys})`, and what its columns are."""
    meta = model._meta
    table = f'"{meta.db_table}"'
    sources, tables = {table: model}, [table]
    for field in map(meta.get_field, related):
        other, alias = field.related_model._meta, f'"{field.name}"'
        sources[alias] = field.related_model
        match = f'{alias}."{other.pk.column}" = {table}."{field.column}"'
        tables.append(f'JOIN "{other.db_table}" {alias} ON {match}')
    columns: list[str] = []
    parts = []
    for alias, source in sources.items():
        fields = source._meta.concrete_fields
        parts.append(_part(source, len(columns), fields))
        columns += [f'{alias}."{field.column}"' for field in fields]
    where = f'WHERE {table}."{meta.pk.column}" IN ({{keys}})'
    return f"SELECT {', '.join(columns)} FROM {' '.join(tables)} {where}", parts


def _part(model: type[Model], begin: int, fields: Sequence[Field]) -> Part:
    connection = connections[DEFAULT_DB_ALIAS]
    converted = []
    for place, field in enumerate(fields):
        column = field.get_col(model._meta.db_table)
        # The database's part first, as in Django's own compiler.
        converters = connection.ops.get_db_converters(column)
        converters += column.get_db_converters(connection)
        if converters:
            converted.append((place, column, converters))
    columns = slice(begin, begin + len(fields))
    return Part(model, columns, [field.attname for field in fields], converted)
