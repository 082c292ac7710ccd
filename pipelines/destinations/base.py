"""The interface of every destination."""

from typing import Protocol

from pipelines.graph.items import Item


class DeliveryError(Exception):
    """An item was not taken. The message is for people. `transient`: it may be taken later, after
    `retry_after` seconds if the receiver said so."""

    def __init__(
        self, message: str, *, transient: bool = True, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.transient, self.retry_after = transient, retry_after


class Destination(Protocol):
    """A way out. An item may come twice: its id tells."""

    async def send(self, item: Item) -> None:
        """Hand over an item, and return once it is taken. Raises `DeliveryError`."""
        ...

    async def aclose(self) -> None:
        """Give back connections."""
        ...
