"""The times of the events of one attempt, as the log keeps them."""

from array import array
from time import monotonic

from django.utils import timezone

from engine.events import Timeline

MAX_MARKS = 2048
"""Of one attempt, 32 KiB in memory. Beyond them every second one is left out: times get coarser."""


class Marks:
    """When events came: those up to each of `seqs` at the time in `times`, on the monotonic
    clock. The first mark is where the attempt began: what is before it was there."""

    __slots__ = ("_began", "_began_at", "seqs", "times")

    def __init__(self) -> None:
        self._began_at, self._began = timezone.now(), monotonic()
        self.seqs, self.times = array("L"), array("d")

    def begin(self, seq: int) -> None:
        """The attempt goes on after this event."""
        self.seqs.append(seq)
        self.times.append(monotonic())

    def thin_out(self) -> None:
        """Keep every second mark, with the first and, of an odd number, the last one."""
        self.seqs, self.times = self.seqs[::2], self.times[::2]

    def timeline(self) -> Timeline:
        """The noted times, as an event of the run that comes now."""
        ms = [round((at - self._began) * 1000) for at in (*self.times, monotonic())]
        return Timeline(began_at=self._began_at, seqs=self.seqs.tolist(), ms=ms)
