"""Makes a model server's values fit the columns that keep them.

No field may cost the answer: a number that is too large becomes the largest, a value that is no
number becomes null, and a character that PostgreSQL cannot store is replaced visibly."""

import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import CharField, DecimalField, Field, JSONField, Model, TextField

from core.cache import cached

MAX_TOKENS = 2**31 - 1
"""The largest count of tokens: no answer has so many, and the sum of billions of them fits 64
bits."""
MAX_COST = Decimal("999999.99999999")
"""US dollars of one answer: the largest that `Run.cost` holds."""
MAX_REASON = 200
"""Characters of a stop reason, which is a word."""
MAX_INTEGER = 2**63 - 1
MAX_DEPTH = 100
"""Levels of JSON; encoders and databases give up at about a thousand."""

_CENT = Decimal("1e-8")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable(row: Model, fields: Sequence[str]) -> Model:
    """The row, with `fields` made to fit their columns."""
    for name, fit in _fits(type(row), tuple(fields)):
        value = getattr(row, name)
        if value is not None:
            setattr(row, name, fit(value))
    return row


def count(number: int) -> int:
    """A number of tokens."""
    return min(max(number, 0), MAX_TOKENS)


def cost(dollars: float | None) -> float | None:
    """An amount in US dollars; None where it is unknown, or no number."""
    if dollars is None or not math.isfinite(dollars):
        return None
    return min(max(dollars, 0.0), float(MAX_COST))


def text(value: str, most: int | None = None) -> str:
    """Without NUL, which PostgreSQL cannot store, and without lone surrogates, which UTF-8 cannot
    say; of at most `most` characters."""
    if most is not None:
        value = value[:most]
    if value.isascii() and "\0" not in value:
        return value
    return _UNSTORABLE.sub("\ufffd", value)


def plain(value: Any, deepest: int = MAX_DEPTH) -> Any:
    """JSON: its texts as `text` says, no number beyond 64 bits, null where something is nested too
    deeply. A value that is no JSON stays, and the database refuses it."""
    match value:
        case str():
            return text(value)
        case bool():
            return value
        case int():
            return min(max(value, -MAX_INTEGER), MAX_INTEGER)
        case float():
            return value if math.isfinite(value) else None
        case dict() | list() if not deepest:
            return None
        case list() | tuple():
            return [plain(item, deepest - 1) for item in value]
        case dict():
            return {text(key): plain(item, deepest - 1) for key, item in value.items()}
    return value


def _money(value: Decimal) -> Decimal | None:
    if not value.is_finite():
        return None
    return min(max(value, Decimal(0)), MAX_COST).quantize(_CENT)


@cached
def _fits(model: type[Model], names: tuple[str, ...]) -> list[tuple[str, Callable[[Any], Any]]]:
    found = [(name, _fit(model._meta.get_field(name))) for name in names]
    return [(name, fit) for name, fit in found if fit is not None]


def _fit(field: Field) -> Callable[[Any], Any] | None:
    match field:
        case JSONField():
            return plain
        case DecimalField():
            return _money
        case CharField():
            return lambda value: text(value, field.max_length)
        case TextField():
            return text
    return None
