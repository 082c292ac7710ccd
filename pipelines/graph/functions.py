"""The functions of expressions. None of them fails: of a value that it cannot take each makes null.

Numbers are all doubles here: CEL does not add an integer to a double."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

MAX_TEXT = 64 * 1024
"""Characters of a text that a function makes."""


class Function(NamedTuple):
    """What a name does, and with how many arguments."""

    call: Callable[..., Any]
    fewest: int
    most: int


def text(value: Any) -> str:
    """A value as people write it: `3`, not `3.0`; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def _upper(value: Any) -> str | None:
    return None if value is None else text(value).upper()


def _lower(value: Any) -> str | None:
    return None if value is None else text(value).lower()


def _trim(value: Any) -> str | None:
    return None if value is None else text(value).strip()


def _concat(*values: Any) -> str:
    return "".join(map(text, values))[:MAX_TEXT]


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _round(value: Any, digits: Any = 0.0) -> float | None:
    if not _is_number(value) or not _is_number(digits) or value != value or abs(value) > 2**53:
        return value if _is_number(value) else None
    return float(round(value, max(-15, min(15, int(digits)))))


def _abs(value: Any) -> float | None:
    return abs(value) if _is_number(value) else None


def _length(value: Any) -> float | None:
    return float(len(value)) if isinstance(value, str | list | dict) else None


def _now() -> float:
    return float(round(time.time() * 1000))


def _to_number(value: Any) -> float | None:
    if _is_number(value):
        return float(value)
    if isinstance(value, bool):
        return float(value)
    try:
        return float(value) if isinstance(value, str) and len(value) <= 100 else None
    except ValueError:
        return None


def _to_string(value: Any) -> str | None:
    return None if value is None else text(value)


def _substring(value: Any, start: Any, end: Any = None) -> str | None:
    if not isinstance(value, str) or not _is_number(start):
        return None
    last = int(end) if _is_number(end) else len(value)
    return value[max(0, int(start)) : max(0, last)]


def _is_number(value: Any) -> bool:
    return isinstance(value, float) and value == value and abs(value) != float("inf")


MANY = 20
FUNCTIONS = {
    "upper": Function(_upper, 1, 1),
    "lower": Function(_lower, 1, 1),
    "trim": Function(_trim, 1, 1),
    "concat": Function(_concat, 1, MANY),
    "coalesce": Function(_coalesce, 1, MANY),
    "round": Function(_round, 1, 2),
    "abs": Function(_abs, 1, 1),
    "length": Function(_length, 1, 1),
    "now": Function(_now, 0, 0),
    "toNumber": Function(_to_number, 1, 1),
    "toString": Function(_to_string, 1, 1),
    "substring": Function(_substring, 2, 3),
}
