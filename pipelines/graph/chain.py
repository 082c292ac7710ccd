"""All stages of a pipeline, one after the other."""

from collections.abc import Iterable, Sequence
from typing import Any

from pipelines.graph.items import Failed, Item, StageError, Tally
from pipelines.graph.operator import Operator
from pipelines.graph.stages import Stage, make


class Chain:
    """Takes items in, and gives those that come out at the end."""

    def __init__(self, stages: Sequence[Stage], scope: str) -> None:
        """`scope` is the id of the pipeline."""
        self._operators: list[Operator] = [
            make(stage, f"{scope}:{number}") for number, stage in enumerate(stages)
        ]

    def take(self, items: Iterable[Item], now: int, tally: Tally) -> list[Item]:
        """What items make of it. The tally gets those that do not get through."""
        return self._through(items, 0, now, tally)

    def take_at(self, stage: int, items: Iterable[Item], now: int, tally: Tally) -> list[Item]:
        """The same of items that the stages before this one have made."""
        return self._through(items, stage, now, tally)

    def tick(self, now: int, tally: Tally) -> list[Item]:
        """What is due because time has passed."""
        found: list[Item] = []
        for number, operator in enumerate(self._operators):
            if due := operator.tick(now):
                found += self._through(due, number + 1, now, tally)
        return found

    def flush(self, now: int, tally: Tally) -> list[Item]:
        """Everything that is held: no more items come."""
        found: list[Item] = []
        for number, operator in enumerate(self._operators):
            found += self._through(operator.flush(), number + 1, now, tally)
        return found

    def trace(self, items: list[Item], now: int, tally: Tally) -> list[list[Item]]:
        """What each stage makes of some items, if no more come."""
        stages: list[list[Item]] = []
        for number, operator in enumerate(self._operators):
            items = [*self._stage(number, items, now, tally), *operator.flush()]
            stages.append(items)
        return stages

    def held(self) -> int:
        """How many items of the source wait in the stages."""
        return sum(operator.held() for operator in self._operators)

    def state(self) -> list[Any]:
        """What each stage holds, as JSON."""
        return [operator.state() for operator in self._operators]

    def restore(self, state: list[Any]) -> None:
        """Hold what another chain of the same stages held."""
        for operator, held in zip(self._operators, state, strict=True):
            operator.restore(held)

    def _through(self, items: Iterable[Item], first: int, now: int, tally: Tally) -> list[Item]:
        for number in range(first, len(self._operators)):
            items = self._stage(number, items, now, tally)
        return list(items)

    def _stage(self, number: int, items: Iterable[Item], now: int, tally: Tally) -> list[Item]:
        take = self._operators[number].take
        made: list[Item] = []
        for item in items:
            try:
                made += take(item, now, tally)
            except StageError as error:
                tally.failed.append(Failed(item, number, str(error)))
        return made
