"""The event log of a run: what it promises, whichever backend holds it.

One writer per run appends; any number of readers follow from a position. Nobody sees an event
before the log holds it, and no reader ever makes a writer wait.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from engine.events import Event, NewEvent, Stamp


class Entry(NamedTuple):
    """One event as it stands in the log; `data` is its JSON (see `engine.events.Stamp.seal`)."""

    seq: int
    type: str
    data: bytes


class LogError(Exception):
    """Base of everything a log raises."""


class UnknownRun(LogError):
    """The log holds nothing of this run: it never began here, or its log has expired."""


class HistoryLost(LogError):
    """The position asked for is no longer kept; start again from a snapshot."""


class PositionAhead(LogError):
    """The position asked for lies beyond the last event."""


class Fenced(LogError):
    """A later attempt holds the run: this writer must stop for good."""


class StorageFailed(LogError):
    """The event could not be stored (disk full, for instance); nobody has seen it."""


class Damaged(StorageFailed):
    """What was stored is there no more as it was written: no second try will read it."""


Sink: TypeAlias = Callable[[list[str], list[bytes], int], bool]
"""Takes events (at least one) at once, or none of them (False): their types, their JSON, and the
last one's seq. It neither waits nor raises."""


class Writer(Protocol):
    """The only writer of one run during one attempt."""

    seq: int
    """The last seq that was handed out (0 before the first)."""

    def append(self, event: Event) -> int:
        """Store `event` and wake the readers; never waits. Returns its seq, from 1, gapless.

        Raises `Fenced` or `StorageFailed`, and then never works again; `LogError` after `done`."""
        ...

    def extend(self, events: Sequence[NewEvent]) -> int:
        """`append` for events (at least one) that arrived together: readers get them together.

        Returns the last one's seq."""
        ...

    async def flush(self) -> None:
        """Return when everything appended is stored and visible.

        Raises `Fenced` or `StorageFailed`."""
        ...


class Log(Protocol):
    """All runs' events. A run is finished when its `done` is in the log; ids are used once."""

    def writer(self, stamp: Stamp, attempt: int) -> Writer:
        """The writer of `stamp.run_id`; it goes on after the last stored event.

        It fences the writer before it. An attempt holds a run once, except 0, which accepts it.
        Raises `Fenced` if this or a higher attempt holds the run, `LogError` if it is finished.

        A log that processes share takes the run when `flush` has returned: await it before you
        read on or append, for `seq` is a guess until then, and a wrong one is `Fenced`."""
        ...

    async def read(self, run_id: str, after: int = 0) -> list[Entry]:
        """The events after `after` that fit one batch (about 64 KiB), oldest first; empty at the
        end. Raises `UnknownRun`, `HistoryLost`, `PositionAhead`."""
        ...

    def follow(
        self, run_id: str, after: int = 0, sink: Sink | None = None
    ) -> AsyncGenerator[list[Entry], None]:
        """Everything after `after`, in lists of what is there, ending after `done`.

        While the reader has read all there is, a log may hand it the next events by `sink`, in the
        moment when they are stored, without a turn of the loop: what it took is not yielded too.
        Raises what `read` does, and `StorageFailed` when the run broke off until a later attempt
        takes over. Close it with `aclosing`; it may be cancelled at any await."""
        ...

    async def last(self, run_id: str) -> Entry | None:
        """The last event, or None if the log holds nothing of this run."""
        ...

    async def erase(self, run_id: str) -> None:
        """Forget a run; its readers end with `UnknownRun`, its writer with `Fenced`."""
        ...

    async def sweep(self) -> None:
        """Drop finished runs whose retention is over."""
        ...

    def counts(self) -> dict[str, int]:
        """Numbers for operators, by name."""
        ...

    async def aclose(self) -> None:
        """Release files and connections; whoever follows a run that has not ended gets a
        `LogError`."""
        ...
