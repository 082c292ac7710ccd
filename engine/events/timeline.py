"""The times of a run's events, as an event."""

from datetime import datetime
from typing import ClassVar

from engine.events.base import Event


class Timeline(Event, tag="timeline", kw_only=True, frozen=True):
    """The times of an attempt's events: those up to `seqs[n]` and after the one before it came
    `ms[n]` milliseconds after `began_at`. Those up to `seqs[0]` were there before. The last of `ms`
    is the time of this event itself."""

    internal: ClassVar[bool] = True

    began_at: datetime
    seqs: list[int]
    ms: list[int]
