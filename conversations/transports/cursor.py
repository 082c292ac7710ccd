"""The position of one client in one run."""

from engine.errors import ClawError, Unavailable
from engine.log.base import Entry, batch_of
from wire.encoder import Encoder
from wire.frames import Snapshot

LEFT: ClawError = Unavailable("The answer goes on without this connection, ask for it again soon.")
"""The error for a client that is left before the end, where its protocol has one."""


class Cursor:
    """A position and an encoder. Each event is encoded once, since an encoder may have state: data
    that the connection could not take is kept."""

    __slots__ = ("_refused", "_refused_to", "after", "encoder")

    def __init__(self, encoder: Encoder, after: int) -> None:
        self.encoder, self.after = encoder, after
        self._refused: list[bytes] = []
        self._refused_to = 0

    @property
    def behind(self) -> bool:
        """Whether there is something that the connection could not take."""
        return bool(self._refused)

    def refuse(self, pieces: list[bytes], last: int) -> None:
        """The connection could not take these, which go up to event `last`: they come first the
        next time."""
        self._refused, self._refused_to = pieces, last

    def encode(self, entries: list[Entry]) -> list[bytes]:
        """The next bytes for the client: first those that were refused, then the entries that are
        new."""
        pieces = self._take_refused()
        new = [entry for entry in entries if entry.seq > self.after]
        if new:
            self.after = new[-1].seq
            pieces = pieces + self.encoder.events(batch_of(new))
        return pieces

    def show(self, snapshot: Snapshot) -> list[bytes]:
        """A snapshot, in place of events that are no longer kept."""
        pieces = self._take_refused()
        self.after = snapshot.last_seq
        return pieces + self.encoder.snapshot(snapshot)

    def _take_refused(self) -> list[bytes]:
        pieces, self._refused = self._refused, []
        if pieces:
            self.after = self._refused_to
        return pieces
