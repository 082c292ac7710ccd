"""The number of 50 tok/s streams that a server holds at once, and their cost (see
`measuring.holds`)."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from bench.measuring import Measured, Upstream, holds, measure, overloaded
from bench.subjects import Stage, Start, Subject

FIRST = 100  # streams of the first trial, which warms up and tells what a token costs
CLOSE = 1.12  # between the most streams held and the fewest not held: then it is found
MAX_TRIALS = 12
MAX_STREAMS = 4000
MIN_STEP, MAX_STEP = 1.4, 2.5  # from a trial that held to the next one
WARM_UP = {
    "streams": 16,
    "order": "tokens=20 every=20",
    "window": 0.1,
    "settle": 0.1,
    "patience": 60,  # a worker may still be starting
}


@contextmanager
def warm(start: Start, stage: Stage, model: Upstream, door: str = "ws") -> Iterator[Subject]:
    """A subject that has answered before: the first answer loads what is loaded late."""
    with start(stage) as subject:
        result = measure(model, subject, door, **WARM_UP)
        if result["failures"] or result["unfinished"]:
            raise RuntimeError(f"{subject.name} does not answer: {result['error']}")
        yield subject


def find_capacity(
    start: Start, stage: Stage, model: Upstream, door: str, window: float, until: float
) -> dict[str, Any]:
    """The most streams held, and every trial; none begins after `until` (time.monotonic()).
    `load_bound`: with more, clients and model server were at their limit.

    A trial that fails while the machine was busy with something else, or clients and model server
    were at their limit, is repeated once; after one that failed the server starts anew."""
    trials: list[Measured] = []
    held, lost, count, repeated, load_bound = 0, 0, FIRST, False, False
    with ExitStack() as running:
        subject = running.enter_context(warm(start, stage, model, door))
        while len(trials) < MAX_TRIALS and count <= MAX_STREAMS:
            if time.monotonic() > until:
                break
            result = measure(model, subject, door, streams=count, window=window)
            result["held"] = "us_per_token" in result and holds(result)
            trials.append(result)
            held_or_not = "held" if result["held"] else "not held"
            print(f"    {count} streams {held_or_not}: {said(result)}", flush=True)
            if result["held"]:
                held, repeated = max(held, count), False
            else:
                running.close()
                subject = running.enter_context(warm(start, stage, model, door))
                doubtful = overloaded(result) or not result.get("quiet", True)
                if doubtful and not repeated:
                    repeated = True
                    continue
                lost, repeated, load_bound = count, False, overloaded(result)
            if held and lost and lost <= held * CLOSE:
                break
            count = following(held, lost, result)
    return {"capacity": held, "load_bound": load_bound, "trials": trials}


def complete(found: dict[str, Any]) -> bool:
    """Whether a search came to its end: it may have run out of time, or of trials."""
    lost = [t["asked"]["streams"] for t in found["trials"] if not t["held"]]
    above = [count for count in lost if count > found["capacity"]]
    return bool(above) and min(above) <= found["capacity"] * CLOSE


def following(held: int, lost: int, result: Measured) -> int:
    """The number of streams to try next."""
    if lost:
        return round((held * lost) ** 0.5) if held else max(1, lost // 2)
    full = 0.95 * held * result["seconds"] / max(result["cpu"], 0.01)  # if all of the core is used
    return round(max(held * MIN_STEP, min(full, held * MAX_STEP)))


def said(result: Measured) -> str:
    """A measurement in one line, for who watches."""
    if "us_per_token" not in result:
        return str(result["error"])
    parts = [
        f"p99 {result['ages']['p99']:.1f} ms" if result["ages"]["count"] else "",
        "" if _mixed(result) else f"delivered {result['delivered']:.1%}",
        f"waited {result['waited']:.1%}",
        f"foreign {result['foreign']:.1%}",
        f"other core {result['load']:.0%}",
        result["error"],
    ]
    if overloaded(result):
        parts.append("clients and model server were at their limit")
    if result["first_in_window"]["count"]:
        parts.insert(0, f"first token {result['first_in_window']['p50']:.1f} ms")
    if result["us_per_token"]:
        parts.insert(0, f"{result['us_per_token']:.1f} us/token")
    return ", ".join(part for part in parts if part)


def _mixed(result: Measured) -> bool:
    """Whether not all of its clients stream all the time, so that nobody can say what is due."""
    asked = result["asked"]
    return any(asked.get(name) for name in ("probes", "repeat", "idle", "stalled", "resumes"))
