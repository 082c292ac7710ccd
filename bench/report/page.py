"""docs/performance.md, made of the results: the newest measurement of every scenario."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench import programs
from bench.measuring import MAX_FOREIGN
from bench.report import plot
from bench.report.figures import Comparison, Figure, comparisons, ended, targets
from bench.scenarios import FIRST_PEER, OURS

DOCS = Path(__file__).resolve().parents[2] / "docs"
PLOTS = "performance"
FINDINGS = Path(__file__).parent / "findings.md"  # what no measurement says by itself

INTRODUCTION = """\
# Performance

Made by `make bench` from what it measured; a re-run writes this page again. [How it measures, and
what each number means](../bench/README.md).

Product and peers run in turn on one core, everything switched on in the product (keys, limits, log,
database, metrics); the model server (true wire format) and the clients run on the other. Every
token is checked: one that is lost, doubled or misplaced fails the measurement.
"""

NOTHING: dict[str, Any] = {"runs": [], "scenarios": {}, "by_twins": []}


def latest(folder: Path) -> dict[str, Any]:
    """The newest results of every scenario, and the newest run's machine."""
    runs = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    if not runs:
        return NOTHING
    merged: dict[str, Any] = dict(runs[-1])
    newest = {
        name: run
        for run in runs
        for name, found in run["scenarios"].items()
        if "failed" not in found
    }
    merged["scenarios"] = {name: run["scenarios"][name] for name, run in newest.items()}
    if "peers" in newest:  # only what one run says of both can be compared
        beside = newest["peers"]["scenarios"].get("relay", {}).get("pairs", [])
        merged["scenarios"]["peers"] = newest["peers"]["scenarios"]["peers"] | {
            OURS: [pair[OURS] for pair in beside]
        }
    merged["runs"] = [
        run
        | {
            "scenarios": {
                name: run["scenarios"][name] for name in run["scenarios"] if newest.get(name) is run
            }
        }
        for run in runs
        if any(run is each for each in newest.values())
    ]
    merged["by_twins"] = [name for name, run in newest.items() if run.get("programs") == "Python"]
    return merged


def write(results: dict[str, Any], docs: Path = DOCS) -> Path:
    """The page and its plots; returns where it is."""
    (docs / PLOTS).mkdir(parents=True, exist_ok=True)
    for name, svg in _plots(results["scenarios"]):
        (docs / PLOTS / f"{name}.svg").write_text(svg)
    path = docs / "performance.md"
    path.write_text("\n".join(_page(results, docs)).rstrip() + "\n")
    return path


def summary(scenarios: dict[str, Any]) -> Iterator[str]:
    """The results of these scenarios beside the targets, for a terminal."""
    for figure in targets(scenarios):
        if figure.values:
            met = "met" if figure.met else "not met"
            yield f"{figure.name}: {spread(figure.values)} (target {figure.target}: {met})"


def _page(results: dict[str, Any], docs: Path) -> Iterator[str]:
    scenarios = results["scenarios"]
    yield INTRODUCTION
    if not scenarios:
        yield "Nothing has been measured yet.\n"
    else:
        versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
        yield f"The newest measurement of every scenario counts. Versions: {versions}.\n"
        yield from _table(RUNS, [_run(run) for run in results["runs"]])
        yield "Waited and foreign: medians, and the most. Above 5 % a number says little.\n"
    if results["by_twins"]:
        yield f"**{programs.TWINS}** Here: {', '.join(results['by_twins'])}.\n"
    yield "## Targets\n"
    yield from _table(
        ["figure", "target", "measured", ""], [_target_row(figure) for figure in targets(scenarios)]
    )
    for name, alternative in (
        ("capacity", "Streams held at once by each server"),
        ("cost", "CPU per token against the number of streams"),
        ("latency", "Latency per token against the number of streams"),
    ):
        if (docs / PLOTS / f"{name}.svg").exists():
            yield f"![{alternative}]({PLOTS}/{name}.svg)\n"
    if not scenarios:
        return
    found = list(comparisons(scenarios))
    yield "## Where a peer is better\n"
    behind = [_comparison(row) for row in found if not row.ours_better]
    yield from _table(["", OURS, FIRST_PEER], behind)
    if not behind:
        yield "Nowhere in what was measured.\n"
    yield f"## Where {OURS} is better\n"
    ahead = [_comparison(row) for row in found if row.ours_better]
    yield from _table(["", OURS, FIRST_PEER], ahead)
    yield "## Relays\n"
    yield CAPACITY
    yield from _table(["server", "streams", "us/token"], list(_relays(scenarios)))
    yield BY_HAND
    yield FINDINGS.read_text()
    yield from _others(scenarios)


BY_HAND = """\
The text up to "All measurements" was written by hand about the runs in the repository; a run of
yours does not change it.
"""

CAPACITY = """\
The most 50 tok/s streams at once of which 99 % of the tokens are less than 100 ms old when they
arrive, with everyone connected, at least 93 % of the demand delivered and nothing lost.
"""


RUNS = ["run", "machine", "gave", "the server waited for its core", "others used it (foreign)"]


def _run(run: dict[str, Any]) -> list[str]:
    """The lines of the page about one run."""
    results = [result for _, result in _all(run["scenarios"]) if "waited" in result]
    noise = [[result[kind] for result in results] for kind in ("waited", "foreign")]
    return [
        f"{run['at'][:16].replace('T', ' ')}, `{run['command']}`",
        f"{run['machine']['processor']}, {run['machine']['cores']} cores",
        ", ".join(run["scenarios"]),
        *(f"{median(each):.1%} ({max(each):.1%})" if each else "" for each in noise),
    ]


def _target_row(figure: Figure) -> list[str]:
    if not figure.values:
        return [figure.name, figure.target, "not measured in these runs", ""]
    met = "" if figure.met is None else "met" if figure.met else "**not met**"
    return [figure.name, figure.target, spread(figure.values), met]


def _comparison(row: Comparison) -> list[str]:
    return [row.name, f"{_rounded(row.ours)} {row.unit}", f"{_rounded(row.theirs)} {row.unit}"]


def _rounded(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _relays(scenarios: dict[str, Any]) -> Iterator[list[str]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for pair in scenarios.get("relay", {}).get("pairs", []):
        for name, each in pair.items():
            found.setdefault(f"{name}, WebSocket", []).append(each)
    for scenario, kind in (("peers", "WebSocket"), ("sse", "SSE")):
        for name, several in scenarios.get(scenario, {}).items():
            if scenario == "peers" and name == OURS:  # it stands above
                continue
            found.setdefault(f"{name}, {kind}", []).extend(several)
    for name, several in found.items():
        best = [_at_capacity(each) for each in several]
        costs = [trial["us_per_token"] for trial in best if trial]
        held = spread([each["capacity"] for each in several])
        if any(each.get("load_bound") for each in several):
            held += ", or more: clients and model server were at their limit"
        if not all(map(ended, several)):
            held += ", or more: the search was cut off"
        busy = [trial.get("foreign", 0.0) for each in several for trial in each["trials"]]
        if median(busy) > MAX_FOREIGN:
            held += "; the machine was busy"
        yield [name, held, spread(costs)]


def _at_capacity(found: dict[str, Any]) -> dict[str, Any] | None:
    held = [trial for trial in found["trials"] if trial["held"]]
    best: dict[str, Any] | None = max(held, key=lambda t: t["streaming"]) if held else None
    return best


def _others(scenarios: dict[str, Any]) -> Iterator[str]:
    """Every single measurement outside of the searches for capacity."""
    yield "## All measurements\n"
    rows = []
    for scenario, found in scenarios.items():
        if scenario in ("relay", "peers", "sse"):
            continue
        for label, result in _flat(found):
            rows.append([scenario, label, *_cells(result)])
    head = ["", "of", "streams", "us/token", "token age p50 / p99 ms", "first token p50 / p99 ms"]
    yield from _table([*head, "MB", "waited", "foreign", "held", "failures"], rows)


def _flat(found: Any, label: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(found, list):
        for each in found:
            yield from _flat(each, label)
    elif isinstance(found, dict) and "asked" in found:
        yield label, found
    elif isinstance(found, dict):
        for name, each in found.items():
            yield from _flat(each, f"{label}, {name}" if label else name)


def _cells(result: dict[str, Any]) -> list[str]:
    if "us_per_token" not in result:
        return ["", "", "", "", "", "", "", "no", result["error"][:60]]
    first = result["first_in_window"] if result["first_in_window"]["count"] else result["first"]
    if result["resumed"]["count"]:
        first = result["resumed"]
    cost = result["us_per_token"]
    return [
        str(result["asked"].get("streams", "")),
        f"{cost:.1f}" if cost else "",
        _times(result["ages"]),
        _times(first),
        f"{result['memory']:.0f}",
        f"{result['waited']:.1%}",
        f"{result['foreign']:.1%}",
        "" if result["held"] else "no",
        f"{result['failures']}" if result["failures"] else "",
    ]


def _times(times: dict[str, Any]) -> str:
    return f"{times['p50']:.2f} / {times['p99']:.2f}" if times.get("count") else ""


def _all(scenarios: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, found in scenarios.items():
        yield from _flat(found, name)


def _plots(scenarios: dict[str, Any]) -> Iterator[tuple[str, str]]:
    held: dict[str, list[float]] = {}
    for pair in scenarios.get("relay", {}).get("pairs", []):
        for name, each in pair.items():
            held.setdefault(name, []).append(each["capacity"])
    for name, several in scenarios.get("peers", {}).items():
        if name != OURS:
            held[name] = [each["capacity"] for each in several]
    if held:
        title = "Streams of 50 tok/s held at once on one core (WebSocket)"
        yield "capacity", plot.bars(title, "streams", held)
    cost: dict[str, list[plot.Point]] = {}
    age: dict[str, list[plot.Point]] = {}
    for name, results in scenarios.get("curve", {}).items():
        good = [result for result in results if result["held"]]
        if good:
            cost[name] = [(r["streaming"], r["us_per_token"]) for r in good]
            age[name] = [(r["streaming"], r["ages"]["p99"]) for r in good]
    if cost:
        title = "CPU of a delivered token"
        yield "cost", plot.lines(title, "streams", "microseconds", cost, goal=20)
        title = "How old a token is when it arrives, 99 of 100"
        yield "latency", plot.lines(title, "streams", "milliseconds", age)


def spread(values: Sequence[float]) -> str:
    """The median, and from the least to the most if there are several."""
    if not values:
        return ""
    middle = _rounded(median(values))
    if len(values) == 1 or min(values) == max(values):
        return middle
    return f"{middle} ({min(values):.4g} to {max(values):.4g})"


def _table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    if rows:
        yield "| " + " | ".join(head) + " |"
        yield "|" + " --- |" * len(head)
        for row in rows:
            yield "| " + " | ".join(cell.replace("|", "/") for cell in row) + " |"
        yield ""
