"""The event log of a run: what it promises, whichever backend holds it.

One writer per run appends; any number of readers follow from a position. Nobody sees an event
before the log holds it, and no reader ever makes a writer wait.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from engine.events import Batch, Event, NewEvent, Stamp


class Entry(NamedTuple):
    """One event as it stands in the log; `data` is its JSON (see `engine.events.Stamp.seal`)."""

    seq: int
    type: str
    data: bytes


NOTHING_YET = Entry(0, "", b"")
"""In place of the last event of a run that somebody has taken, and not begun to write."""


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
    """The stored events are no longer as they were written: no second try will read them."""


Push: TypeAlias = Callable[[Batch], bool]
"""Takes a batch at once, or nothing of it (False). It neither waits nor raises."""


def batch_of(entries: Sequence[Entry]) -> Batch:
    """Entries that follow one another (at least one), as a batch."""
    seqs, types, lines = zip(*entries, strict=True)
    return [*types], [*lines], seqs[-1]


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

    def release(self) -> None:
        """End the attempt though the run has no `done`: a later attempt writes that. The log keeps
        nothing of the run open until then. Call it after `flush`; the writer never works again."""
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
        self, run_id: str, after: int = 0, push: Push | None = None
    ) -> AsyncGenerator[list[Entry], None]:
        """Everything after `after`, in lists of what is there, ending after `done`.

        While the reader has read all there is, a log may hand it the next events by `push`, in the
        moment when they are stored, without a turn of the loop: what it took is not yielded too.
        Raises what `read` does, and `StorageFailed` when the run broke off until a later attempt
        takes over. Close it with `aclosing`; it may be cancelled at any await."""
        ...

    async def last(self, run_id: str) -> Entry | None:
        """The last event; `NOTHING_YET` of a run that is taken: follow it, and it comes. None if
        the log holds nothing of this run."""
        ...

    async def has_room(self, owner: str) -> bool:
        """Whether `owner` may begin another run here. Ended runs of its own go early, oldest
        first, to make room."""
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
        """Release files and connections; followers of a run that has not ended get a `LogError`."""
        ...
