"""The numbers of one pipeline, kept with its checkpoints."""

import time
from typing import Any

import msgspec

SECONDS = 60
"""The throughput is that of so many seconds."""
MAX_LATENCIES = 1000
"""The latest, of which the latency is told."""


class Counters(msgspec.Struct, kw_only=True, rename="camel"):
    """Items of the source. At any moment `received` is the sum of the others and of those that are
    on their way."""

    received: int = 0
    delivered: int = 0
    filtered: int = 0
    failed: int = 0
    late: int = 0


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """From the arrival of an item until every destination had it, in ms."""

    avg: float = 0.0
    p50: float = 0.0
    p95: float = 0.0
    max: float = 0.0


class Measured(msgspec.Struct, kw_only=True, rename="camel"):
    """What is stored. `rates` are pairs of a second and the items that arrived in it."""

    counters: Counters
    in_flight: int = 0
    latency: Latency = Latency()
    rates: list[tuple[int, int]] = []
    backpressure: float = 0.0


class Meter:
    """Measures latency and throughput."""

    def __init__(self) -> None:
        self._latencies: list[float] = []
        self._next = 0
        self._rates: dict[int, int] = {}

    def arrived(self, count: int) -> None:
        """So many items have been read."""
        second = int(time.time())
        self._rates[second] = self._rates.get(second, 0) + count
        while len(self._rates) > SECONDS:
            del self._rates[next(iter(self._rates))]

    def done(self, arrived: int) -> None:
        """What arrived then (Unix time in ms) is where it should be."""
        latency = max(0.0, time.time() * 1000 - arrived)
        if len(self._latencies) < MAX_LATENCIES:
            self._latencies.append(latency)
        else:
            self._latencies[self._next] = latency
        self._next = (self._next + 1) % MAX_LATENCIES

    def latency(self) -> Latency:
        """Of the latest items."""
        found = sorted(self._latencies)
        if not found:
            return Latency()
        return Latency(
            avg=round(sum(found) / len(found), 1),
            p50=round(found[len(found) // 2], 1),
            p95=round(found[len(found) * 95 // 100], 1),
            max=round(found[-1], 1),
        )

    def rates(self) -> list[tuple[int, int]]:
        """Seconds, and the items that arrived in each."""
        return list(self._rates.items())


def throughput(rates: list[Any], now: float) -> float:
    """Items a second over the last minute."""
    recent = sum(count for second, count in rates if second > now - SECONDS)
    return round(recent / SECONDS, 3)
