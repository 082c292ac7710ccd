"""`filter`: lets through the items that meet a condition."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pipelines.graph.items import Data, Item, Tally
from pipelines.graph.operator import Stateless
from pipelines.graph.paths import MISSING, Path, getter

MAX_CONDITIONS = 20
MAX_NESTED = 5
MAX_PATTERN = 200
Test = Callable[[Data], bool]
OperatorName = Literal["eq", "neq", "gt", "gte", "lt", "lte", "contains", "in", "regex"]
Conditions = Annotated[list["Condition"], Meta(min_length=1, max_length=MAX_CONDITIONS)]


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either `field`, `operator` and `value`, or `all` or `any` of other conditions."""

    field: Path | UnsetType = UNSET
    operator: OperatorName | UnsetType = UNSET
    value: Any = UNSET
    all: Conditions | UnsetType = UNSET
    any: Conditions | UnsetType = UNSET


class ConditionError(ValueError):
    """A condition that makes no sense. `place` is the path to it within its configuration."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place = place


class Filter(Stateless):
    """The stage."""

    def __init__(self, condition: Condition) -> None:
        """Raises `ConditionError`."""
        self._test = compile_condition(condition)

    def take(self, item: Item, now: int, tally: Tally) -> list[Item]:
        """See `Operator.take`."""
        if self._test(item.data):
            return [item]
        tally.filtered += item.weight
        return []


def compile_condition(condition: Condition, place: str = "", nested: int = 0) -> Test:
    """Returns a function that tells whether some data meet the condition. Data without the field do
    not. Raises `ConditionError`."""
    if nested > MAX_NESTED:
        raise ConditionError(place, f"Conditions are nested at most {MAX_NESTED} times.")
    given = [name for name in ("field", "all", "any") if getattr(condition, name) is not UNSET]
    if len(given) != 1:
        raise ConditionError(place, "A condition has one of `field`, `all` and `any`.")
    if given == ["field"]:
        return _comparison(condition, place)
    (name,) = given
    tests = [
        compile_condition(each, f"{place}.{name}[{number}]", nested + 1)
        for number, each in enumerate(getattr(condition, name))
    ]
    if name == "all":
        return lambda data: all(test(data) for test in tests)
    return lambda data: any(test(data) for test in tests)


def _comparison(condition: Condition, place: str) -> Test:
    if condition.operator is UNSET or condition.value is UNSET:
        raise ConditionError(place, "A condition has `field`, `operator` and `value`.")
    find, value = getter(str(condition.field)), condition.value
    compare = _comparer(condition.operator, value, place)

    def test(data: Data) -> bool:
        found = find(data)
        return found is not MISSING and compare(found, value)

    return test


def _comparer(operator: str, value: Any, place: str) -> Callable[[Any, Any], bool]:
    if operator == "regex":
        return _pattern(value, place)
    if operator == "in" and not isinstance(value, list):
        raise ConditionError(f"{place}.value", "The value of `in` is a list.")
    return COMPARERS[operator]


def _pattern(value: Any, place: str) -> Callable[[Any, Any], bool]:
    """CEL's regular expressions take a time in proportion to the text."""
    if not isinstance(value, str) or len(value) > MAX_PATTERN:
        raise ConditionError(
            f"{place}.value", f"The value of `regex` is a text of at most {MAX_PATTERN} characters."
        )
    import cel  # 30 MB, and most installations have no such condition

    program = cel.compile("text.matches(pattern)")
    try:
        program.execute({"text": "", "pattern": value})
    except RuntimeError:
        raise ConditionError(f"{place}.value", "This is no regular expression.") from None
    return lambda found, pattern: (
        isinstance(found, str) and program.execute({"text": found, "pattern": pattern}) is True
    )


def _equal(found: Any, value: Any) -> bool:
    """As JSON has it: `true` is not 1."""
    return bool(found == value) and isinstance(found, bool) == isinstance(value, bool)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Only numbers have an order, and texts."""

    def check(found: Any, value: Any) -> bool:
        both = (str,) if isinstance(value, str) else (int, float)
        if isinstance(found, bool) or isinstance(value, bool):
            return False
        return isinstance(found, both) and isinstance(value, both) and compare(found, value)

    return check


def _contains(found: Any, value: Any) -> bool:
    if isinstance(found, str):
        return isinstance(value, str) and value in found
    return isinstance(found, list) and any(_equal(each, value) for each in found)


COMPARERS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "neq": lambda found, value: not _equal(found, value),
    "gt": _ordered(lambda found, value: found > value),
    "gte": _ordered(lambda found, value: found >= value),
    "lt": _ordered(lambda found, value: found < value),
    "lte": _ordered(lambda found, value: found <= value),
    "contains": _contains,
    "in": lambda found, value: any(_equal(found, each) for each in value),
}
