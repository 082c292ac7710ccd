"""The bytes that each owner holds in a log."""

from collections import OrderedDict
from collections.abc import Iterator
from weakref import WeakValueDictionary


class Share:
    """The runs of one owner: `used` bytes, of those that are written and of those that ended."""

    __slots__ = ("__weakref__", "ended", "used")

    def __init__(self) -> None:
        self.used = 0
        self.ended: OrderedDict[str, int] = OrderedDict()  # bytes of each, oldest first


class Shares:
    """The shares of all owners; an owner has room below `limit` bytes."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._shares: WeakValueDictionary[str, Share] = WeakValueDictionary()  # of those with runs
        self._ended: dict[str, Share] = {}  # that each ended run is in

    def of(self, owner: str) -> Share:
        """The share of `owner`. The writer of a run holds it, and adds the bytes to `used`."""
        share = self._shares.get(owner)
        if share is None:
            share = self._shares[owner] = Share()
        return share

    def end(self, run_id: str, share: Share, size: int) -> None:
        """A run has ended; its `size` bytes are in `used` already."""
        self._ended[run_id] = share
        share.ended[run_id] = size

    def forget(self, run_id: str) -> None:
        """The events of a run that had ended are gone. Harmless for any other run."""
        share = self._ended.pop(run_id, None)
        if share is not None:
            share.used -= share.ended.pop(run_id)

    def move(self, run_id: str, owner: str) -> None:
        """A run that had ended is the owner's, and its newest."""
        size, share = self._ended[run_id].ended[run_id], self.of(owner)
        self.forget(run_id)
        share.used += size
        self.end(run_id, share, size)

    def has_room(self, owner: str) -> bool:
        """Whether `owner` may begin another run."""
        share = self._shares.get(owner)
        return share is None or share.used < self._limit

    def surplus(self, owner: str) -> Iterator[str]:
        """The oldest ended runs of `owner` while it has no room. Forget each of them before you
        take the next."""
        share = self._shares.get(owner)
        while share is not None and share.ended and share.used >= self._limit:
            yield next(iter(share.ended))
