"""The interface of every stage."""

from typing import Any, Protocol

from pipelines.graph.items import Item, Tally


class Operator(Protocol):
    """A stage. `now` is the wall clock (Unix time in ms). Nothing here waits or fails but by
    `StageError`, after which the stage is as it was before."""

    def take(self, item: Item, now: int, tally: Tally) -> list[Item]:
        """What an item makes of it. Raises `StageError`."""
        ...

    def tick(self, now: int) -> list[Item]:
        """What is due because time has passed."""
        ...

    def flush(self) -> list[Item]:
        """Everything that is held: no more items come."""
        ...

    def held(self) -> int:
        """How many items of the source wait in it."""
        ...

    def state(self) -> Any:
        """What it holds, as JSON."""
        ...

    def restore(self, state: Any) -> None:
        """Hold what another one of the same configuration held."""
        ...


class Stateless:
    """The part of a stage that holds nothing."""

    def tick(self, now: int) -> list[Item]:
        """See `Operator.tick`."""
        return []

    def flush(self) -> list[Item]:
        """See `Operator.flush`."""
        return []

    def held(self) -> int:
        """See `Operator.held`."""
        return 0

    def state(self) -> Any:
        """See `Operator.state`."""
        return None

    def restore(self, state: Any) -> None:
        """See `Operator.restore`."""
