"""Dotted paths into the data of an item."""

import re
from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta

from pipelines.graph.items import Data

MISSING = object()
"""The value of a path that leads nowhere."""
NAME = r"[A-Za-z_][A-Za-z0-9_]*"
Path = Annotated[str, Meta(min_length=1, max_length=200)]
Getter = Callable[[Data], Any]
_ALONE = re.compile(rf"{NAME}(?:\.{NAME})*")


def is_path(text: str) -> bool:
    """Whether an expression is nothing but a path."""
    return _ALONE.fullmatch(text) is not None


def getter(path: str) -> Getter:
    """Returns a function that finds the value at a path, or `MISSING`."""
    first, *rest = path.split(".")
    if not rest:
        return lambda data: data.get(first, MISSING)

    def find(data: Data) -> Any:
        value = data.get(first, MISSING)
        for name in rest:
            if not isinstance(value, dict):
                return MISSING
            value = value.get(name, MISSING)
        return value

    return find
