"""What passes through a pipeline, and what the stages say of it."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

Data = dict[str, Any]


class Item(msgspec.Struct, array_like=True):
    """One item. `weight` is how many items of the source it stands for, `arrived` when the first of
    them came (Unix time in ms). `parts` are the ids and data of the members of a batch."""

    id: str
    data: Data
    arrived: int
    weight: int = 1
    parts: list[tuple[str, Data]] = []


class StageError(Exception):
    """A stage cannot take this item. The message is for people."""


@dataclass(slots=True)
class Failed:
    """An item that the stage of this number could not take."""

    item: Item
    stage: int
    reason: str


@dataclass(slots=True)
class Tally:
    """What became of items that did not get through. `filtered` counts items of the source."""

    filtered: int = 0
    late: list[Item] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
