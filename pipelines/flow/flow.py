"""A pipeline between its sources and its destinations. It decides without awaiting.

What came in is at any moment either in a stage, or waits for a destination, or is done. So a
checkpoint, which is all of that together with the positions in the sources, may be taken at any
moment: nothing before it is lost, and nothing is delivered twice but what was taken after it."""

import time
from collections.abc import Iterable
from typing import Any

import msgspec

from pipelines.flow.metrics import Counters, Measured, Meter
from pipelines.graph.chain import Chain
from pipelines.graph.items import Item, Tally
from pipelines.graph.stages import Stage

MAX_WAITING = 1000
MAX_WAITING_BYTES = 2 * 1024 * 1024
"""What may wait for the destinations before no more is read."""
MAX_NEWS = 1000
"""Failures that are not stored yet before no more is read."""


class Output(msgspec.Struct, array_like=True, eq=False):
    """Something for the destinations of these numbers. `failed`: one of the others did not take
    it."""

    item: Item
    waiting: list[int]
    failed: bool = False
    size: int = 0
    number: int = 0


class NewFailure(msgspec.Struct):
    """An item for the table of failures; see `models.Failure`."""

    item: Item
    reason: str
    stage: int | None = None
    destination: int | None = None
    late: bool = False


class Snapshot(msgspec.Struct, kw_only=True):
    """The content of a checkpoint. `stages` are the stages whose state it has."""

    position: dict[str, Any]
    stages: list[Stage]
    state: list[Any]
    outputs: list[Output]


class Flow:
    """The stages, and queues to the destinations."""

    def __init__(self, scope: str, stages: list[Stage], destinations: int, *, drop: bool) -> None:
        """`scope` is the id of the pipeline; `drop`: what fails is not kept."""
        self._scope, self._stages, self._drop = scope, stages, drop
        self._chain = Chain(stages, scope)
        self._all = list(range(destinations))
        self._outputs: dict[int, Output] = {}
        self._bytes, self._count = 0, 0
        self.meter = Meter()
        self.counters = Counters()
        self.position: dict[str, Any] = {}
        self.failures: list[NewFailure] = []
        self.changed = False

    # --- in

    def take(self, items: Iterable[Item], source: str, position: Any) -> None:
        """Items of a source, which has come to this position with them."""
        some, tally = list(items), Tally()
        self.counters.received += len(some)
        self.meter.arrived(len(some))
        self.position[source] = position
        self._emit(self._chain.take(some, _now(), tally), tally)

    def tick(self) -> None:
        """Time has passed."""
        tally = Tally()
        found = self._chain.tick(_now(), tally)
        if found or tally.failed:
            self._emit(found, tally)

    def flush(self) -> None:
        """Let everything that the stages hold go on."""
        tally = Tally()
        self._emit(self._chain.flush(_now(), tally), tally)

    def retry(self, failure: NewFailure) -> None:
        """Let an item go on that failed before: in its stage, or to its destination."""
        item, tally = failure.item, Tally()
        self.counters.failed -= item.weight
        if failure.destination is not None:
            wanted = [number for number in self._all if number == failure.destination]
            self._queue(item, wanted or list(self._all))
            self.changed = True
            return
        self._emit(self._chain.take_at(failure.stage or 0, [item], _now(), tally), tally)

    # --- out

    def head(self, destination: int) -> Output | None:
        """What this destination is to take next."""
        return next(
            (output for output in self._outputs.values() if destination in output.waiting), None
        )

    def delivered(self, output: Output, destination: int) -> None:
        """The destination has taken it."""
        self._settled(output, destination)

    def rejected(self, output: Output, destination: int, reason: str) -> None:
        """The destination does not take it."""
        weight = 0 if output.failed else output.item.weight
        output.failed = True
        self.counters.failed += weight
        if not self._drop:
            item = msgspec.structs.replace(output.item, weight=weight)
            self.failures.append(NewFailure(item, reason, destination=destination))
        self._settled(output, destination)

    # --- how full it is

    @property
    def room(self) -> bool:
        """Whether more may be read."""
        return self.pressure < 1 and len(self.failures) < MAX_NEWS

    @property
    def pressure(self) -> float:
        """How much waits for the destinations: 0 to 1."""
        return min(1.0, max(len(self._outputs) / MAX_WAITING, self._bytes / MAX_WAITING_BYTES))

    @property
    def empty(self) -> bool:
        """Whether the destinations have everything."""
        return not self._outputs

    def in_flight(self) -> int:
        """Items of the source that are on their way."""
        waiting = sum(each.item.weight for each in self._outputs.values() if not each.failed)
        return waiting + self._chain.held()

    def measured(self) -> Measured:
        """The numbers as they are now."""
        return Measured(
            counters=msgspec.structs.replace(self.counters),
            in_flight=self.in_flight(),
            latency=self.meter.latency(),
            rates=self.meter.rates(),
            backpressure=round(self.pressure, 3),
        )

    # --- checkpoints

    def snapshot(self) -> Snapshot:
        """Everything, as it is at this moment."""
        return Snapshot(
            position=dict(self.position),
            stages=self._stages,
            state=self._chain.state(),
            outputs=list(self._outputs.values()),
        )

    def restore(self, kept: Snapshot, counters: Counters) -> None:
        """Go on from a checkpoint. What the stages of another version held goes on at once, as if
        no more items came."""
        self.position, self.counters = dict(kept.position), counters
        for output in kept.outputs:
            waiting = [number for number in output.waiting if number in self._all]
            self._queue(output.item, waiting or list(self._all), failed=output.failed)
        if kept.stages == self._stages:
            self._chain.restore(kept.state)
            return
        before, tally = Chain(kept.stages, self._scope), Tally()
        before.restore(kept.state)
        self._emit(before.flush(_now(), tally), tally)

    def _emit(self, items: Iterable[Item], tally: Tally) -> None:
        self.changed = True
        for item in items:
            self._queue(item, list(self._all))
        self.counters.filtered += tally.filtered
        for late in tally.late:
            self.counters.late += late.weight
            self.failures.append(
                NewFailure(late, "It came after its window was closed.", late=True)
            )
        for failed in tally.failed:
            self.counters.failed += failed.item.weight
            if not self._drop:
                self.failures.append(NewFailure(failed.item, failed.reason, stage=failed.stage))

    def _queue(self, item: Item, waiting: list[int], *, failed: bool = False) -> None:
        self._count += 1
        output = Output(item, waiting, failed, len(msgspec.json.encode(item)), self._count)
        self._outputs[self._count] = output
        self._bytes += output.size

    def _settled(self, output: Output, destination: int) -> None:
        self.changed = True
        output.waiting.remove(destination)
        if output.waiting:
            return
        del self._outputs[output.number]
        self._bytes -= output.size
        if not output.failed:
            self.counters.delivered += output.item.weight
            self.meter.done(output.item.arrived)


def _now() -> int:
    return round(time.time() * 1000)
