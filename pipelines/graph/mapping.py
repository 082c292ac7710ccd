"""`map`: makes of each item the fields that it names, and no others."""

from typing import Annotated

import msgspec
from msgspec import Meta

from pipelines.graph.expressions import compile_expression
from pipelines.graph.items import Item, Tally
from pipelines.graph.operator import Stateless

MAX_FIELDS = 100
FieldName = Annotated[str, Meta(min_length=1, max_length=100)]


class MapConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The new fields, each with the expression of its value."""

    expression: Annotated[dict[FieldName, str], Meta(min_length=1, max_length=MAX_FIELDS)]


class Map(Stateless):
    """The stage."""

    def __init__(self, config: MapConfig) -> None:
        """Raises `ExpressionError`."""
        self._fields = [
            (name, compile_expression(source)) for name, source in config.expression.items()
        ]

    def take(self, item: Item, now: int, tally: Tally) -> list[Item]:
        """See `Operator.take`."""
        data = item.data
        made = {name: evaluate(data) for name, evaluate in self._fields}
        return [Item(item.id, made, item.arrived, item.weight)]
