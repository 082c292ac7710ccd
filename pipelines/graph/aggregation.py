"""Sums, counts and the like, of a window's items or of everything so far (`aggregate`)."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pipelines.graph.items import Data, Item, StageError, Tally
from pipelines.graph.operator import Stateless
from pipelines.graph.paths import MISSING, Getter, Path, getter

MAX_AGGREGATIONS = 50
MAX_GROUP_FIELDS = 10
MAX_GROUPS = 10_000
"""Groups that are counted at once: more than that is no grouping."""
Totals = list[Any]
Add = Callable[[Any, Any], Any]


class Aggregation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function of one field; `*` is for `count` alone. The result is called
    `<function>_<field>` without an alias."""

    field: Path
    function: Literal["sum", "avg", "min", "max", "count"]
    alias: Annotated[str, Meta(min_length=1, max_length=100)] | UnsetType = UNSET

    @property
    def name(self) -> str:
        """The field of the result."""
        return f"{self.function}_{self.field}" if self.alias is UNSET else self.alias


Aggregations = Annotated[list[Aggregation], Meta(min_length=1, max_length=MAX_AGGREGATIONS)]
GroupBy = Annotated[list[Path], Meta(max_length=MAX_GROUP_FIELDS)]


class AggregateConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What is counted, and for which groups."""

    aggregations: Aggregations
    group_by: GroupBy = []


class Functions:
    """Some aggregations together. Their totals are a list, which is JSON."""

    def __init__(self, aggregations: list[Aggregation]) -> None:
        self._adds = [(_value_of(each), ADD[each.function]) for each in aggregations]
        self._names = [(each.name, each.function) for each in aggregations]
        self._begin = [BEGIN[each.function] for each in aggregations]

    def begin(self) -> Totals:
        """The totals of nothing."""
        return [list(each) if isinstance(each, list) else each for each in self._begin]

    def add(self, totals: Totals, data: Data) -> None:
        """Count one item. What is no number is not counted."""
        for number, (value_of, add) in enumerate(self._adds):
            value = value_of(data)
            if value is not None:
                totals[number] = add(totals[number], value)

    def merge(self, totals: Totals, others: Totals) -> None:
        """Count what others have counted."""
        for number, (_, function) in enumerate(self._names):
            totals[number] = MERGE[function](totals[number], others[number])

    def result(self, totals: Totals) -> Data:
        """The values by their names. There is no average, least or greatest of nothing: null."""
        return {
            name: _mean(total) if function == "avg" else total
            for (name, function), total in zip(self._names, totals, strict=True)
        }


class Groups:
    """Tells items apart by some of their fields."""

    def __init__(self, fields: list[str]) -> None:
        self._fields = [(field.rpartition(".")[2], getter(field)) for field in fields]

    def of(self, data: Data) -> list[Any]:
        """The values of an item's group; what is missing is null."""
        found = [find(data) for _, find in self._fields]
        return [None if value is MISSING else value for value in found]

    def named(self, values: list[Any]) -> Data:
        """The values by the last names of their fields."""
        return {name: value for (name, _), value in zip(self._fields, values, strict=True)}


_encode = msgspec.json.Encoder(order="sorted").encode


def key_of(values: list[Any]) -> bytes:
    """What tells a group from others."""
    return _encode(values) if values else b"[]"


class Aggregate(Stateless):
    """The stage: each item yields the new totals of its group."""

    def __init__(self, config: AggregateConfig) -> None:
        self._functions = Functions(config.aggregations)
        self._groups = Groups(config.group_by)
        self._totals: dict[bytes, tuple[list[Any], Totals]] = {}

    def take(self, item: Item, now: int, tally: Tally) -> list[Item]:
        """See `Operator.take`."""
        values = self._groups.of(item.data)
        key = key_of(values)
        if key not in self._totals:
            if len(self._totals) >= MAX_GROUPS:
                raise StageError(f"There are more than {MAX_GROUPS} groups.")
            self._totals[key] = (values, self._functions.begin())
        totals = self._totals[key][1]
        self._functions.add(totals, item.data)
        made = {**self._groups.named(values), **self._functions.result(totals)}
        return [Item(item.id, made, item.arrived, item.weight)]

    def state(self) -> Any:
        """See `Operator.state`."""
        return list(self._totals.values())

    def restore(self, state: Any) -> None:
        """See `Operator.restore`."""
        self._totals = {key_of(values): (values, totals) for values, totals in state}


def _value_of(aggregation: Aggregation) -> Getter:
    """Returns a function to the value that is counted, or None."""
    if aggregation.field == "*":
        return lambda data: 1
    find = getter(aggregation.field)
    if aggregation.function == "count":
        return lambda data: None if find(data) in (None, MISSING) else 1

    def number(data: Data) -> Any:
        value = find(data)
        return value if type(value) in (int, float) else None

    return number


def _mean(total: list[Any]) -> float | None:
    return total[0] / total[1] if total[1] else None


def _least(total: Any, value: Any) -> Any:
    return value if total is None or (value is not None and value < total) else total


def _greatest(total: Any, value: Any) -> Any:
    return value if total is None or (value is not None and value > total) else total


BEGIN: dict[str, Any] = {"sum": 0, "avg": [0, 0], "min": None, "max": None, "count": 0}
ADD: dict[str, Add] = {
    "sum": lambda total, value: total + value,
    "avg": lambda total, value: [total[0] + value, total[1] + 1],
    "min": _least,
    "max": _greatest,
    "count": lambda total, value: total + 1,
}
MERGE: dict[str, Add] = ADD | {
    "avg": lambda total, other: [total[0] + other[0], total[1] + other[1]],
    "count": lambda total, other: total + other,
}
