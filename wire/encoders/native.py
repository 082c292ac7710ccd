"""The native encoders: the events of the log as they are, on a WebSocket and as an event stream."""

from typing import ClassVar

from engine.errors import ClawError
from engine.events import Batch
from wire import frames, sse
from wire.frames import Snapshot
from wire.native import OnDisconnect
from wire.parse import dumps
from wire.selection import Selection

PING = dumps(frames.Ping())


class SocketFrames:
    """Each event is one frame."""

    __slots__ = ("_changed", "_selection")

    on_disconnect: ClassVar[OnDisconnect | None] = None
    waits: ClassVar[bool] = True

    def __init__(self, selection: Selection, run_id: str | None) -> None:
        self._selection, self._changed = selection, selection.changed

    def opening(self, after: int = 0) -> list[bytes]:
        """Says nothing: a socket carries many runs."""
        return []

    def events(self, batch: Batch) -> list[bytes]:
        """See `Encoder.events`."""
        if self._changed.isdisjoint(batch[0]):
            return batch[1]  # on every token's way
        return [data for _, _, data in self._selection.select(batch)]

    def snapshot(self, snapshot: Snapshot) -> list[bytes]:
        """See `Encoder.snapshot`."""
        return [dumps(self._selection.visibility.snapshot(snapshot))]

    def keepalive(self) -> list[bytes]:
        """A ping."""
        return [PING]

    def close(self, error: ClawError | None = None) -> list[bytes]:
        """Says nothing: the socket itself is told why, and the client resumes."""
        return []


class SseEvents:
    """Each event has its position as id, by which the client resumes."""

    __slots__ = ("_name", "_run_id", "_selection")

    on_disconnect: ClassVar[OnDisconnect | None] = None
    waits: ClassVar[bool] = True

    def __init__(self, selection: Selection, run_id: str | None) -> None:
        self._selection, self._run_id = selection, run_id
        self._name = (run_id or "").encode()

    def opening(self, after: int = 0) -> list[bytes]:
        """See `wire.sse.opening`."""
        return [sse.opening(self._run_id, after) if self._run_id else sse.OPENING]

    def events(self, batch: Batch) -> list[bytes]:
        """See `Encoder.events`."""
        name = self._name
        return [sse.FRAME % (name, seq, data) for seq, _, data in self._selection.select(batch)]

    def snapshot(self, snapshot: Snapshot) -> list[bytes]:
        """See `Encoder.snapshot`."""
        data = dumps(self._selection.visibility.snapshot(snapshot))
        return [sse.FRAME % (self._name, snapshot.last_seq, data)]

    def keepalive(self) -> list[bytes]:
        """A comment."""
        return [sse.KEEPALIVE]

    def close(self, error: ClawError | None = None) -> list[bytes]:
        """Says nothing: a stream without `done` is cut, and the client resumes or is told why
        not."""
        return []
