"""When items happened, and up to when they have all come (the watermark).

The watermark is the time of the latest item so far. After a while without items it follows the
wall clock, so that windows close although nothing comes. Times are Unix times in ms."""

from datetime import UTC, datetime
from typing import Any

from pipelines.graph.items import Item, StageError
from pipelines.graph.paths import MISSING, Getter, getter

USUAL = tuple(map(getter, ("completedAt", "timestamp")))
"""Fields that say when an item happened, unless a window names one."""
MAX_AHEAD = 60_000
"""An item of the future moves the watermark no further than this beyond the wall clock: else one
wrong clock would make everybody else's items late."""
FIRST, LAST = -62_135_596_800_000, 253_402_300_799_999  # the years 1 to 9999


class EventTime:
    """The clock of one window stage."""

    def __init__(self, field: str | None, idle: int) -> None:
        """`idle`: ms without an item after which the wall clock counts."""
        self._field: Getter | None = getter(field) if field else None
        self._name, self._idle = field, idle
        self.watermark = FIRST
        self._seen = FIRST

    def of(self, item: Item) -> int:
        """When an item happened. Raises `StageError` if the field does not say it."""
        if self._field is not None:
            found = moment(self._field(item.data))
            if found is None:
                raise StageError(f"There is no time in “{self._name}”.")
            return found
        for find in USUAL:
            found = moment(find(item.data))
            if found is not None:
                return found
        return item.arrived

    def advance(self, at: int, now: int) -> None:
        """An item of this time has come now."""
        self._seen = now
        self.watermark = max(self.watermark, min(at, now + MAX_AHEAD))

    def tick(self, now: int) -> bool:
        """Whether the watermark has moved since nothing came."""
        if self._seen == FIRST or now - self._seen < self._idle or now <= self.watermark:
            return False
        self.watermark = now
        return True

    def state(self) -> list[int]:
        """For `restore`."""
        return [self.watermark, self._seen]

    def restore(self, state: list[int]) -> None:
        """Go on where another one was."""
        self.watermark, self._seen = state


def moment(value: Any) -> int | None:
    """A time as JSON has it: Unix time in ms, or ISO 8601 (in UTC if it does not say)."""
    if type(value) in (int, float) and FIRST <= value <= LAST:
        return int(value)
    if value is MISSING or not isinstance(value, str) or len(value) > 40:
        return None
    try:
        found = datetime.fromisoformat(value)
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
