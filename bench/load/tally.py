"""The sum of what all clients of the load have seen, and the output of the load."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

CLOSED, CONNECTING, READY, ASKED, STREAMING, OVER = range(6)  # what a client does


class Tally:
    """Counts, and times in nanoseconds; `answers`: with so many in all there are enough."""

    def __init__(self, *, clients: int, answers: int) -> None:
        self.counts = [clients, 0, 0, 0, 0, 0]
        self.enough = asyncio.Event()
        self.windowed = self.repeating = False
        self.ages: list[int] = []
        self.firsts: list[int] = []
        self.window_firsts: list[int] = []
        self.resumed: list[int] = []
        self.tokens = self.window_tokens = self.answers = self.window_answers = 0
        self.longest_gap = self.failures = 0
        self.error = ""
        self._most_answers = answers

    def fail(self, error: str) -> None:
        """Keeps the first failure."""
        if not self.failures:
            self.error = " ".join(error.split())
        self.failures += 1

    def first(self, waited: int, *, again: bool) -> None:
        """The first token of an answer; `again`: of one that was resumed."""
        firsts = self.window_firsts if self.windowed else self.firsts
        (self.resumed if again else firsts).append(waited)

    def token(self, age: int, *, again: bool) -> None:
        """A token that is where it belongs. After a resumption its age says nothing."""
        self.tokens += 1
        if self.windowed:
            self.window_tokens += 1
            if not again:
                self.ages.append(age)

    def answer(self) -> None:
        """An answer has ended well."""
        self.answers += 1
        self.window_answers += self.windowed
        if self.answers == self._most_answers:
            self.enough.set()

    def result(self) -> dict[str, Any]:
        """The result in the form that load.c prints."""
        return {
            "mark": "result",
            "ages": percentiles(self.ages),
            "first": percentiles(self.firsts),
            "first_in_window": percentiles(self.window_firsts),
            "resumed": percentiles(self.resumed),
            "tokens": self.tokens,
            "window_tokens": self.window_tokens,
            "answers": self.answers,
            "window_answers": self.window_answers,
            "unfinished": sum(self.counts[CONNECTING:OVER]),
            "failures": self.failures,
            "longest_gap_ms": round(self.longest_gap / 1e6, 2),
            "cpu": round(time.process_time(), 3),
            "error": self.error,
        }


def percentiles(times: Sequence[int]) -> dict[str, float]:
    """Percentiles of nanoseconds, in milliseconds."""
    if not times:
        return {"count": 0}
    ordered = sorted(times)
    size = len(ordered)
    at = {"p50": size // 2, "p90": size * 90 // 100, "p99": size * 99 // 100, "max": size - 1}
    found = {name: round(max(0, ordered[place]) / 1e6, 3) for name, place in at.items()}
    return {"count": size} | found
