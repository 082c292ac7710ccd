"""`window` of the type `session`: the items of a group between two pauses."""

from collections.abc import Iterable

from pipelines.graph.aggregation import key_of
from pipelines.graph.items import Item, StageError, Tally
from pipelines.graph.windows import MAX_OPEN, Bucket, WindowConfig, Windows


class SessionWindows(Windows):
    """A session ends a gap after its last item. An item between two of them joins them."""

    def __init__(self, config: WindowConfig, scope: str) -> None:
        super().__init__(config, scope)
        self._gap = int(config.gap or 0)
        self._open: dict[bytes, list[Bucket]] = {}
        self._count = 0

    def take(self, item: Item, now: int, tally: Tally) -> list[Item]:
        """See `Operator.take`."""
        at = self.time.of(item)
        group = self.groups.of(item.data)
        key = key_of(group)
        touched = [
            bucket
            for bucket in self._open.get(key, ())
            if bucket.start - self._gap < at < bucket.end
        ]
        if not touched and self.is_closed(at + self._gap):
            tally.late.append(item)
            return []
        if not touched and self._count >= MAX_OPEN:
            raise StageError(f"More than {MAX_OPEN} sessions are open.")
        bucket = Bucket(at, at + self._gap, group, self.functions.begin(), item.arrived)
        bucket.weight = item.weight
        self.functions.add(bucket.totals, item.data)
        for other in touched:
            self._join(bucket, other)
        self.forget(touched)
        self.keep(bucket)
        self.expect(bucket.end)
        self.time.advance(at, now)
        return self.close()

    def _join(self, bucket: Bucket, other: Bucket) -> None:
        bucket.start, bucket.end = min(bucket.start, other.start), max(bucket.end, other.end)
        bucket.arrived = min(bucket.arrived, other.arrived)
        bucket.weight += other.weight
        self.functions.merge(bucket.totals, other.totals)

    def opened(self) -> Iterable[Bucket]:
        """See `Windows.opened`."""
        return (bucket for buckets in self._open.values() for bucket in buckets)

    def keep(self, bucket: Bucket) -> None:
        """See `Windows.keep`."""
        self._open.setdefault(key_of(bucket.group), []).append(bucket)
        self._count += 1

    def forget(self, buckets: list[Bucket]) -> None:
        """See `Windows.forget`."""
        for bucket in buckets:
            key = key_of(bucket.group)
            self._open[key].remove(bucket)
            self._count -= 1
            if not self._open[key]:
                del self._open[key]
