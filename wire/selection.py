"""The events of a run that one watcher gets, and in what pieces."""

from collections.abc import Iterable, Iterator
from itertools import count

import msgspec

from engine.events import Batch, Token, decode, type_of
from wire.visibility import Visibility

Sealed = tuple[int, str, bytes]
"""An event as the log holds it: its seq, its type, its JSON."""


class Selection:
    """The events that one watcher gets. With `merge` neighbouring tokens of a batch become one
    event."""

    __slots__ = ("_merge", "changed", "visibility")

    def __init__(self, visibility: Visibility, *, merge: bool = False) -> None:
        self.visibility, self._merge = visibility, merge
        self.changed = (
            visibility.hidden | visibility.rewrites.keys() | ({"token"} if merge else set())
        )
        """The types of events that this watcher does not get as the log holds them."""

    def select(self, batch: Batch) -> Iterable[Sealed]:
        """The events of a batch that this watcher gets, in order."""
        types, lines, last = batch
        shown: Iterable[Sealed] = zip(count(last - len(lines) + 1), types, lines, strict=False)
        if self.changed.isdisjoint(types):
            return shown
        shown = (entry for entry in shown if entry[1] not in self.visibility.hidden)
        if self.visibility.rewrites:
            shown = self._rewrite(shown)
        return merge(shown) if self._merge else shown

    def _rewrite(self, shown: Iterable[Sealed]) -> Iterator[Sealed]:
        for seq, type_, data in shown:
            if type_ not in self.visibility.rewrites:
                yield seq, type_, data
            elif (seen := self.visibility.event(type_, data)) is not None:
                yield seq, type_of(seen), seen


def merge(events: Iterable[Sealed]) -> Iterator[Sealed]:
    """Neighbouring tokens as one: `index` of the first, `count`, and the last one's `seq`."""
    tokens: list[bytes] = []
    last = 0
    for seq, type_, data in events:
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
