"""The figures that decide: each target with what was measured, and each comparison with the
strongest peer."""

from collections.abc import Callable, Iterator
from statistics import median
from typing import Any, NamedTuple

from bench.capacity import complete
from bench.scenarios import FIRST_PEER, OURS

Found = dict[str, Any]


class Figure(NamedTuple):
    """A target, and every value measured for it; `met` is None for one that only informs."""

    name: str
    target: str
    values: list[float]
    met: bool | None


class Comparison(NamedTuple):
    """The same of the product and of the strongest peer."""

    name: str
    unit: str
    ours: float
    theirs: float
    ours_better: bool


def targets(scenarios: Found) -> Iterator[Figure]:
    """In the order of their weight."""
    pairs = [[pair[name] for name in _both()] for pair in _pairs(scenarios)]
    ratios = [a["capacity"] / b["capacity"] for a, b in pairs if b["capacity"] and ended(b)]
    yield _at_least(f"capacity against {FIRST_PEER}", 2.0, ratios, "x")
    for name, goal in (("FastAPI .create", 4), ("FastAPI .stream", 6), ("Channels + Daphne", 8)):
        yield _at_least(f"capacity against {name}", goal, _against(scenarios, name), "x")
    cost = [r["us_per_token"] for r in _curve(scenarios, 600) if r["us_per_token"]]
    yield _at_most("CPU of a token at 600 streams, us", 20, cost)
    few = [r["us_per_token"] for r in _curve(scenarios, 50)]
    many = [r["us_per_token"] for r in _curve(scenarios, 1000)]
    growth = [many[0] / few[0]] if few and many else []
    yield _at_most("CPU of a token at 1000 streams against 50, x", 1.2, growth)
    beside = scenarios.get("first_token", {}).get(OURS, {}).get("50 streams", {})
    yield _at_most("first token beside 50 streams, p50 ms", 2, _time(beside, "p50"))
    yield _at_most("first token beside 50 streams, p99 ms", 10, _time(beside, "p99"))
    ages = [r["ages"]["p99"] for r in _curve(scenarios, 50)]
    yield _at_most("age of a token at 50 streams, p99 ms", 1, ages)
    apart = [r for r in _list(scenarios, "workers", "worker + Redis") if _asked(r) == 50]
    both = [r for r in _list(scenarios, "workers", "worker + Redis") if _asked(r) == 200]
    alone = [r for r in _list(scenarios, "workers", "embedded") if _asked(r) == 200]
    first = [time for r in apart for time in _time(r, "p50")]
    yield _at_most("worker and Redis: first token beside 50 streams, p50 ms", 10, first)
    first = [time for r in apart for time in _time(r, "p99")]
    yield _at_most("worker and Redis: first token beside 50 streams, p99 ms", 30, first)
    ages = [r["ages"]["p99"] for r in apart if r["ages"]["count"]]
    yield _at_most("worker and Redis: age of a token at 50 streams, p99 ms", 30, ages)
    dearer = [b["us_per_token"] / a["us_per_token"] for a, b in zip(alone, both, strict=False)]
    yield _at_most(
        "worker and Redis: CPU of a token, all together, against one process, x", 2, dearer
    )
    idle = scenarios.get("idle", {}).get(OURS, {})
    yield _at_most("memory of an idle WebSocket, KB", 35, _value(idle, "kb_per_client"))
    few, many = ([r["memory"] for r in _curve(scenarios, count)] for count in (50, 600))
    grown = [(many[0] - few[0]) * 1024 / (600 - 50)] if few and many else []
    yield _at_most("memory of a stream, from 50 to 600 of them, KB", 80, grown)
    for database, goal in (("SQLite", 150), ("PostgreSQL", 250)):
        several = _list(scenarios, "short", f"Clawsite, {database}")
        rates = [r["answers_per_second"] for r in several if "answers_per_second" in r]
        yield _at_least(f"answers of 20 tokens a second, {database}", goal, rates)


def comparisons(scenarios: Found) -> Iterator[Comparison]:
    """Everything that was measured of both."""
    if pairs := _pairs(scenarios):
        yield _more("streams held at once", "", *(_middle(pairs, name) for name in _both()))
    for count in (50, 200, 600):
        curve = scenarios.get("curve", {})
        found = [[r for r in curve.get(name, []) if _asked(r) == count] for name in _both()]
        if all(found):
            ours, theirs = (each[0] for each in found)
            yield _less(f"CPU of a token, {count} streams", "us", *_costs(ours, theirs))
            ages = ours["ages"]["p99"], theirs["ages"]["p99"]
            yield _less(f"age of a token, {count} streams, p99", "ms", *ages)
            yield _less(f"memory, {count} streams", "MB", ours["memory"], theirs["memory"])
    first = scenarios.get("first_token", {})
    for place in ("alone", "50 streams", "80 %"):
        results = [first.get(name, {}).get(place, {}) for name in _both()]
        times = [_time(result, "p50") for result in results]
        if all(times):
            if place == "80 %":  # each of what it holds itself
                place = " and ".join(str(_asked(result)) for result in results) + " streams (80 %)"
            yield _less(f"first token, {place}, p50", "ms", times[0][0], times[1][0])
    idle = [_value(scenarios.get("idle", {}).get(name, {}), "kb_per_client") for name in _both()]
    if all(idle):
        yield _less("memory of an idle WebSocket", "KB", idle[0][0], idle[1][0])
    short = scenarios.get("short", {})
    theirs = _rates(short.get(f"{FIRST_PEER}, no database", []))
    for name in ("SQLite", "PostgreSQL"):
        ours = _rates(short.get(f"Clawsite, {name}", []))
        if ours and theirs:
            label = f"answers of 20 tokens a second, {name} against no database"
            yield _more(label, "", ours[0], theirs[0])
    sse = scenarios.get("sse", {})
    if all(ended(found) for name in _both() for found in sse.get(name, [{}])):
        yield _more("SSE streams held at once", "", *(sse[n][0]["capacity"] for n in _both()))
    slow = [scenarios.get("slow", {}).get(name, {}) for name in _both()]
    parts = [[each.get(f"{stalled} stalled", {}) for stalled in (0, 20)] for each in slow]
    if all("memory" in part for each in parts for part in each):
        grown = [max(0.0, after["memory"] - before["memory"]) for before, after in parts]
        yield _less("memory that 20 stalled clients add", "MB", *grown)


def ended(found: Found) -> bool:
    """Whether a search for capacity found the most that the server holds, or the clients can ask
    for. One that was cut off tells no more than that it holds so much."""
    return bool(found) and (complete(found) or bool(found.get("load_bound")))


def _pairs(scenarios: Found) -> list[Found]:
    pairs: list[Found] = scenarios.get("relay", {}).get("pairs", [])
    return pairs


def _middle(pairs: list[Found], name: str) -> float:
    return median(pair[name]["capacity"] for pair in pairs)


def _both() -> tuple[str, str]:
    return OURS, FIRST_PEER


def _at_least(name: str, goal: float, values: list[float], unit: str = "") -> Figure:
    return _figure(name, f">= {goal:g}{unit}", values, lambda middle: middle >= goal)


def _at_most(name: str, goal: float, values: list[float]) -> Figure:
    return _figure(name, f"<= {goal:g}", values, lambda middle: middle <= goal)


def _figure(name: str, target: str, values: list[float], good: Callable[[float], bool]) -> Figure:
    middle = median(values) if values else 0.0
    return Figure(name, target, values, good(middle) if values else None)


def _more(name: str, unit: str, ours: float, theirs: float) -> Comparison:
    return Comparison(name, unit, ours, theirs, ours >= theirs)


def _less(name: str, unit: str, ours: float, theirs: float) -> Comparison:
    return Comparison(name, unit, ours, theirs, ours <= theirs)


def _against(scenarios: Found, name: str) -> list[float]:
    """The numbers of one run: see `page.latest`."""
    peers = scenarios.get("peers", {})
    held = [each["capacity"] for each in peers.get(name, []) if each["capacity"] and ended(each)]
    ours = [each["capacity"] for each in peers.get(OURS, [])]
    return [median(ours) / each for each in held] if ours else []


def _curve(scenarios: Found, count: int) -> list[Found]:
    found = scenarios.get("curve", {}).get(OURS, [])
    return [result for result in found if _asked(result) == count and "us_per_token" in result]


def _list(scenarios: Found, scenario: str, name: str) -> list[Found]:
    found = scenarios.get(scenario, {}).get(name, [])
    return [result for result in found if "us_per_token" in result]


def _asked(result: Found) -> int:
    return int(result.get("asked", {}).get("streams", 0))


def _time(result: Found, part: str) -> list[float]:
    return _value(result.get("first_in_window", {}), part)


def _value(result: Found, name: str) -> list[float]:
    return [result[name]] if name in result else []


def _rates(results: list[Found]) -> list[float]:
    return [r["answers_per_second"] for r in results if "answers_per_second" in r]


def _costs(ours: Found, theirs: Found) -> tuple[float, float]:
    return ours["us_per_token"], theirs["us_per_token"]
