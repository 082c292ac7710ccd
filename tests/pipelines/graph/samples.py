"""Items and stages for the tests of the graph."""

from typing import Any

import msgspec

from pipelines.graph.chain import Chain
from pipelines.graph.items import Item, Tally
from pipelines.graph.stages import Stage, check

NOW = 1_800_000_000_000


def item(number: int, at: int = NOW, **data: Any) -> Item:
    return Item(f"itm_{number}", {"timestamp": at, **data}, NOW)


def stage(type_: str, **config: Any) -> Stage:
    made = msgspec.convert({"type": type_, "config": config}, Stage)
    check(made)
    return made


def run(stages: list[Stage], items: list[Item], tally: Tally | None = None) -> list[Any]:
    """The data of what comes out of some items, at the end of input."""
    chain, tally = Chain(stages, "pipe_1"), tally or Tally()
    found = chain.take(items, NOW, tally) + chain.flush(NOW, tally)
    return [each.data for each in found]
