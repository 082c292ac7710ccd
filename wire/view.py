"""Which of a run's events one watcher gets, and in what pieces."""

from collections.abc import Iterable, Iterator
from itertools import count

import msgspec

from engine.events import Token, decode
from engine.visibility import Visibility

Sealed = tuple[int, str, bytes]
"""An event as the log holds it: its seq, its type, its JSON."""


class View:
    """A watcher's eyes. `merge`: neighbouring tokens that are there together become one frame."""

    __slots__ = ("_merge", "hidden", "visibility")

    def __init__(self, visibility: Visibility, *, merge: bool = False) -> None:
        self.visibility = visibility
        self.hidden, self._merge = visibility.hidden, merge

    def texts(self, types: list[str], lines: list[bytes], last: int) -> list[bytes]:
        """The JSON of what this watcher gets of events that end with `last`, in order."""
        if not self._merge and self.hidden.isdisjoint(types):
            return lines  # on every token's way
        return [data for _, _, data in self.select(sealed(types, lines, last))]

    def select(self, batch: Iterable[Sealed]) -> Iterable[Sealed]:
        """What this watcher gets of a batch, in order."""
        shown = (entry for entry in batch if entry[1] not in self.hidden)
        return merged(shown) if self._merge else shown


def sealed(types: list[str], lines: list[bytes], last: int) -> Iterator[Sealed]:
    """Events as a log hands them out (`engine.log.base.Sink`), one by one."""
    return zip(count(last - len(lines) + 1), types, lines, strict=False)


def merged(batch: Iterable[Sealed]) -> Iterator[Sealed]:
    """Neighbouring tokens as one: `index` of the first, `count`, and the last one's `seq`."""
    tokens: list[bytes] = []
    last = 0
    for seq, type_, data in batch:
        if type_ == "token":
            tokens.append(data)
            last = seq
            continue
        if tokens:
            yield last, "token", _join(tokens)
            tokens = []
        yield seq, type_, data
    if tokens:
        yield last, "token", _join(tokens)


def _join(tokens: list[bytes]) -> bytes:
    if len(tokens) == 1:
        return tokens[0]
    events = [event for event in map(decode, tokens) if isinstance(event, Token)]
    whole = msgspec.structs.replace(
        events[0],
        content="".join(event.content for event in events),
        count=len(events),
        seq=events[-1].seq,
    )
    return msgspec.json.encode(whole)
