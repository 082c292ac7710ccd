"""The page says what was measured, and where a peer is better."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bench import page, plot
from bench.figures import targets
from bench.programs import TWINS


def measured(streams: int, cost: float, p99: float = 0.5) -> dict[str, Any]:
    times = {"count": 9, "p50": p99 / 2, "p90": p99, "p99": p99, "max": p99}
    return {
        "asked": {"streams": streams},
        "streaming": streams,
        "held": True,
        "us_per_token": cost,
        "ages": times,
        "first": times,
        "first_in_window": times,
        "resumed": {"count": 0},
        "memory": 100.0,
        "kb_per_client": 60.0,
        "waited": 0.01,
        "foreign": 0.02,
        "failures": 0,
    }


def searched(capacity: int, cost: float) -> dict[str, Any]:
    return {"capacity": capacity, "trials": [measured(capacity, cost)]}


RESULTS: dict[str, Any] = {
    "at": "2026-11-21T13:20:00+00:00",
    "command": "python -m bench",
    "machine": {"processor": "a CPU", "cores": 2},
    "versions": {"Python": "3.11"},
    "scenarios": {
        "relay": {
            "pairs": [
                {"Clawsite": searched(900, 21.0), "Express .create": searched(600, 33.0)},
                {"Clawsite": searched(1000, 20.0), "Express .create": searched(500, 34.0)},
            ],
            "ratios": [1.5, 2.0],
        },
        "curve": {
            "Clawsite": [measured(50, 30.0, 3.0), measured(600, 19.0)],
            "Express .create": [measured(50, 40.0, 1.0), measured(600, 33.0)],
        },
    },
    "measured": {},
    "by_twins": [],
}


def test_it_works(tmp_path: Path) -> None:
    text = page.write(RESULTS, tmp_path).read_text()

    assert "| CPU of a token at 600 streams, us | <= 20 | 19 | met |" in text
    better, _, worse = text.partition("## Where Clawsite is better")
    assert "| age of a token, 50 streams, p99 | 3 ms | 1 ms |" in better
    assert "| CPU of a token, 50 streams | 30 us | 40 us |" in worse
    assert "Clawsite, WebSocket | 950 (900 to 1000)" in text


def test_its_plots_are_images(tmp_path: Path) -> None:
    page.write(RESULTS, tmp_path)

    names = {path.stem for path in (tmp_path / "performance").iterdir()}
    assert names == {"capacity", "cost", "latency"}
    for path in (tmp_path / "performance").iterdir():
        assert ElementTree.parse(path).getroot().tag.endswith("svg")


def test_a_target_that_is_missed_is_said_so() -> None:
    (capacity, *_) = targets(RESULTS["scenarios"])

    assert capacity.values == [1.5, 2.0]
    found = targets({"curve": {"Clawsite": [measured(600, 25.0)]}})
    assert {figure.name: figure.met for figure in found}["CPU of a token at 600 streams, us"] is (
        False
    )


def test_nothing_measured_is_no_success(tmp_path: Path) -> None:
    assert all(figure.met is None for figure in targets({}))
    assert "Nothing has been measured" in page.write(page.latest(tmp_path), tmp_path).read_text()


def test_the_newest_measurement_of_each_scenario_counts(tmp_path: Path) -> None:
    old = RESULTS | {"scenarios": {"relay": {"old": 1}, "idle": {"old": 1}}}
    new = RESULTS | {"scenarios": {"relay": {"new": 1}, "idle": {"failed": "no"}}}
    for name, run in (("1.json", old), ("2.json", new)):
        (tmp_path / name).write_text(page.json.dumps(run))

    assert page.latest(tmp_path)["scenarios"] == {"relay": {"new": 1}, "idle": {"old": 1}}


def test_what_the_twins_measured_is_said_so(tmp_path: Path) -> None:
    runs = [
        RESULTS | {"programs": "Python", "scenarios": {"relay": {}, "idle": {}}},
        RESULTS | {"programs": "C", "scenarios": {"idle": {}}},
    ]
    for number, run in enumerate(runs):
        (tmp_path / f"{number}.json").write_text(page.json.dumps(run))

    found = page.write(page.latest(tmp_path), tmp_path).read_text()

    assert f"**{TWINS}** Here: relay." in found
    assert TWINS not in page.write(RESULTS, tmp_path).read_text()


def test_a_capacity_of_the_clients_is_not_the_servers(tmp_path: Path) -> None:
    bound = {"peers": {"Channels + Daphne": [searched(300, 9.0) | {"load_bound": True}]}}

    found = page.write(RESULTS | {"scenarios": bound}, tmp_path).read_text()

    assert "| 300, or more: clients and model server were at their limit |" in found


def test_axes_end_above_the_values() -> None:
    svg = plot.lines("t", "x", "y", {"a": [(1, 3.0), (10, 97.0)]}, goal=20)

    assert ">100<" in svg
