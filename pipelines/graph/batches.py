"""`batch`: some items together."""

from hashlib import sha256
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from pipelines.graph.items import Item, Tally

MAX_BATCH_BYTES = 1024 * 1024
"""A batch that is larger goes on before it has its size."""


class BatchConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many items, or those of `timeout` ms."""

    size: Annotated[int, Meta(ge=1, le=10_000)]
    timeout: Annotated[int, Meta(ge=10, le=86_400_000)] = 5000


class Batch:
    """The stage. Each member has its `id`, beside what it is made of."""

    def __init__(self, config: BatchConfig) -> None:
        self._size, self._timeout = config.size, config.timeout
        self._items: list[Item] = []
        self._bytes, self._due = 0, 0

    def take(self, item: Item, now: int, tally: Tally) -> list[Item]:
        """See `Operator.take`."""
        if not self._items:
            self._due = now + self._timeout
        self._items.append(item)
        self._bytes += len(msgspec.json.encode(item.data))
        full = len(self._items) >= self._size or self._bytes >= MAX_BATCH_BYTES
        return self.flush() if full else []

    def tick(self, now: int) -> list[Item]:
        """See `Operator.tick`."""
        return self.flush() if self._items and now >= self._due else []

    def flush(self) -> list[Item]:
        """See `Operator.flush`."""
        items, self._items, self._bytes = self._items, [], 0
        if not items:
            return []
        name = sha256("\n".join(item.id for item in items).encode()).hexdigest()[:32]
        return [
            Item(
                f"batch_{name}",
                {"items": [{"id": item.id, **item.data} for item in items]},
                min(item.arrived for item in items),
                sum(item.weight for item in items),
                [(item.id, item.data) for item in items],
            )
        ]

    def held(self) -> int:
        """See `Operator.held`."""
        return sum(item.weight for item in self._items)

    def state(self) -> Any:
        """See `Operator.state`."""
        return {"due": self._due, "items": msgspec.to_builtins(self._items)}

    def restore(self, state: Any) -> None:
        """See `Operator.restore`."""
        self._due, self._items = state["due"], msgspec.convert(state["items"], list[Item])
        self._bytes = sum(len(msgspec.json.encode(item.data)) for item in self._items)
