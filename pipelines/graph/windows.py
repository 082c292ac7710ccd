"""`window`: sums and counts of the items of some time, tumbling or sliding.

Windows begin at multiples of their slide since the epoch. One is closed, and yields its result,
once the watermark has passed its end and the allowed lateness. An item all of whose windows are
closed is late."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pipelines.graph.aggregation import Aggregations, Functions, GroupBy, Groups, Totals, key_of
from pipelines.graph.event_time import EventTime
from pipelines.graph.items import Item, StageError, Tally
from pipelines.graph.paths import Path

MAX_OPEN = 10_000
"""Windows of all groups that are open at once."""
MAX_SLIDES = 100
"""Windows that one item belongs to."""
MAX_MS = 31 * 86_400_000
Span = Annotated[int, Meta(ge=1, le=MAX_MS)]
NEVER = 2**63


class WindowConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`size`, `slide`, `gap` and the rest are ms. A session ends after a `gap` without items."""

    type: Literal["tumbling", "sliding", "session"]
    aggregations: Aggregations
    size: Span | UnsetType = UNSET
    slide: Span | UnsetType = UNSET
    gap: Span | UnsetType = UNSET
    group_by: GroupBy = []
    time_field: Path | UnsetType = UNSET
    allowed_lateness_ms: Annotated[int, Meta(ge=0, le=MAX_MS)] = 0
    idle_ms: Annotated[int, Meta(ge=100, le=MAX_MS)] = 60_000

    def problem(self) -> tuple[str, str] | None:
        """The field that makes no sense, and why."""
        wanted = "gap" if self.type == "session" else "size"
        if getattr(self, wanted) is UNSET:
            return wanted, f"A {self.type} window has a `{wanted}` in ms."
        if self.type != "sliding":
            return None
        if self.slide is UNSET or self.size is UNSET or self.slide > self.size:
            return "slide", "A sliding window has a `slide`, which is at most its `size`."
        if self.size / self.slide > MAX_SLIDES:
            return "slide", f"The `size` is at most {MAX_SLIDES} times the `slide`."
        return None


class Bucket(msgspec.Struct, array_like=True):
    """An open window of one group. `weight` is how many items of the source it answers for."""

    start: int
    end: int
    group: list[Any]
    totals: Totals
    arrived: int
    weight: int = 0


class Windows:
    """What the stages of all kinds of window share."""

    def __init__(self, config: WindowConfig, scope: str) -> None:
        """`scope` tells the ids of this stage's windows from all others."""
        self.functions, self.groups = Functions(config.aggregations), Groups(config.group_by)
        field = None if config.time_field is UNSET else config.time_field
        self.time = EventTime(field, config.idle_ms)
        self.lateness = config.allowed_lateness_ms
        self._scope = scope
        self._earliest = NEVER

    def opened(self) -> Iterable[Bucket]:
        """All open windows."""
        raise NotImplementedError

    def forget(self, buckets: list[Bucket]) -> None:
        """These are closed."""
        raise NotImplementedError

    def keep(self, bucket: Bucket) -> None:
        """Hold this one, which another stage held."""
        raise NotImplementedError

    def is_closed(self, end: int) -> bool:
        """Whether a window with this end takes no more items."""
        return end + self.lateness <= self.time.watermark

    def expect(self, end: int) -> None:
        """A window with this end has been opened."""
        self._earliest = min(self._earliest, end)

    def tick(self, now: int) -> list[Item]:
        """See `Operator.tick`."""
        return self.close() if self.time.tick(now) else []

    def close(self) -> list[Item]:
        """The results of the windows that are over, the earliest first."""
        if not self.is_closed(self._earliest):
            return []
        over = [bucket for bucket in self.opened() if self.is_closed(bucket.end)]
        return self._closed(over)

    def flush(self) -> list[Item]:
        """See `Operator.flush`."""
        return self._closed(list(self.opened()))

    def held(self) -> int:
        """See `Operator.held`."""
        return sum(bucket.weight for bucket in self.opened())

    def state(self) -> Any:
        """See `Operator.state`."""
        return {"time": self.time.state(), "open": msgspec.to_builtins(list(self.opened()))}

    def restore(self, state: Any) -> None:
        """See `Operator.restore`."""
        self.time.restore(state["time"])
        for bucket in msgspec.convert(state["open"], list[Bucket]):
            self.keep(bucket)
            self.expect(bucket.end)

    def _closed(self, buckets: list[Bucket]) -> list[Item]:
        self.forget(buckets)
        self._earliest = min((bucket.end for bucket in self.opened()), default=NEVER)
        buckets.sort(key=lambda bucket: (bucket.end, bucket.start, key_of(bucket.group)))
        return [self._result(bucket) for bucket in buckets]

    def _result(self, bucket: Bucket) -> Item:
        data = {
            "windowStart": bucket.start,
            "windowEnd": bucket.end,
            **self.groups.named(bucket.group),
            **self.functions.result(bucket.totals),
        }
        name = msgspec.json.encode([self._scope, bucket.group, bucket.start])
        return Item(f"win_{sha256(name).hexdigest()[:32]}", data, bucket.arrived, bucket.weight)


class AlignedWindows(Windows):
    """Tumbling and sliding windows."""

    def __init__(self, config: WindowConfig, scope: str) -> None:
        super().__init__(config, scope)
        self._size = int(config.size or 0)
        self._slide = self._size if config.slide is UNSET else config.slide
        self._open: dict[tuple[int, bytes], Bucket] = {}

    def take(self, item: Item, now: int, tally: Tally) -> list[Item]:
        """See `Operator.take`. The latest of an item's windows answers for it."""
        at = self.time.of(item)
        latest = at - at % self._slide
        if self.is_closed(latest + self._size):
            tally.late.append(item)
            return []
        group = self.groups.of(item.data)
        key = key_of(group)
        starts = range(latest, at - self._size, -self._slide)
        wanted = [start for start in starts if not self.is_closed(start + self._size)]
        new = [start for start in wanted if (start, key) not in self._open]
        if len(self._open) + len(new) > MAX_OPEN:
            raise StageError(f"More than {MAX_OPEN} windows are open.")
        for start in new:
            end = start + self._size
            self._open[start, key] = Bucket(start, end, group, self.functions.begin(), item.arrived)
            self.expect(end)
        for start in wanted:
            self.functions.add(self._open[start, key].totals, item.data)
        self._open[latest, key].weight += item.weight
        self.time.advance(at, now)
        return self.close()

    def opened(self) -> Iterable[Bucket]:
        """See `Windows.opened`."""
        return self._open.values()

    def keep(self, bucket: Bucket) -> None:
        """See `Windows.keep`."""
        self._open[bucket.start, key_of(bucket.group)] = bucket

    def forget(self, buckets: list[Bucket]) -> None:
        """See `Windows.forget`."""
        for bucket in buckets:
            del self._open[bucket.start, key_of(bucket.group)]
