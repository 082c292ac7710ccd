"""JSON Schema: whether a value fits. Both may come from somebody who means harm, so no check
searches by a regular expression of the schema, and none takes long."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

from jsonschema.exceptions import SchemaError
from jsonschema.validators import Draft202012Validator, extend, validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from engine.tools.digest import canonical

MAX_CHECKS = 10_000
"""Of one keyword against one value: some tenths of a second. A schema whose parts refer to each
other twice could take more of them than there are atoms."""
UNCHECKED = ("pattern", "patternProperties", "unevaluatedProperties", "unevaluatedItems")
"""Python's regular expressions may search for ever (https://docs.python.org/3/library/re.html does
not bound them). The tool itself is the last to check its arguments."""

Check = Callable[..., Iterator[Any] | None]


class TooMuch(Exception):
    """The check would take too long."""


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether the value fits the schema, apart from its patterns. Nothing fits a schema that is
    none, that leads to another address (nothing is fetched), or that takes too long."""
    return _checked(value, schema) is True


def contradicts(value: Any, schema: dict[str, Any]) -> bool:
    """Whether the value certainly does not fit the schema. Nothing contradicts what `fits` cannot
    check."""
    return _checked(value, schema) is False


def _checked(value: Any, schema: dict[str, Any]) -> bool | None:
    """Whether the value fits; None if that cannot be said."""
    kind = validator_for(schema, default=Draft202012Validator)
    taken = count(1)
    checks: dict[str, Check] = {
        name: partial(_counted, check, taken) for name, check in kind.VALIDATORS.items()
    }
    checks["additionalProperties"] = partial(_additional, checks["additionalProperties"])
    checks["uniqueItems"] = partial(_counted, _unique, taken)
    checks |= dict.fromkeys(UNCHECKED, _unchecked)
    try:
        kind.check_schema(schema, format_checker=None)
        return bool(extend(kind, checks)(schema, registry=Registry()).is_valid(value))
    except (SchemaError, Unresolvable, RecursionError, TooMuch):
        return None


def _counted(
    check: Check, taken: Iterator[int], validator: Any, rule: Any, value: Any, schema: Any
) -> Iterator[Any] | None:
    if next(taken) > MAX_CHECKS:
        raise TooMuch
    return check(validator, rule, value, schema)


def _additional(
    check: Check, validator: Any, rule: Any, value: Any, schema: Any
) -> Iterator[Any] | None:
    """Further properties may be those of a pattern."""
    known = "patternProperties" in schema
    return None if known else check(validator, rule, value, schema)


def _unique(validator: Any, rule: Any, value: Any, schema: Any) -> Iterator[Any]:
    """In the time of one look at each item, unlike the library's own."""
    if rule and isinstance(value, list) and len(set(map(canonical, value))) < len(value):
        yield from validator.descend(value, False)


def _unchecked(validator: Any, rule: Any, value: Any, schema: Any) -> None:
    """Every value fits."""
