"""The page says what was measured, and where a peer is better."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bench.programs import TWINS
from bench.report import page, plot
from bench.report.figures import targets


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
    lost = measured(round(capacity * 1.1), cost) | {"held": False}
    return {"capacity": capacity, "trials": [measured(capacity, cost), lost]}


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
        },
        "curve": {
            "Clawsite": [measured(50, 30.0, 3.0), measured(600, 19.0)],
            "Express .create": [measured(50, 40.0, 1.0), measured(600, 33.0)],
        },
    },
}


def written(folder: Path, *runs: dict[str, Any]) -> str:
    """The page that these runs make."""
    for number, run in enumerate(runs):
        (folder / f"{number}.json").write_text(json.dumps(run))
    return page.write(page.latest(folder), folder).read_text()


def test_it_works(tmp_path: Path) -> None:
    text = written(tmp_path, RESULTS)

    assert "| CPU of a token at 600 streams, us | <= 20 | 19 | met |" in text
    better, _, worse = text.partition("## Where Clawsite is better")
    assert "| age of a token, 50 streams, p99 | 3 ms | 1 ms |" in better
    assert "| CPU of a token, 50 streams | 30 us | 40 us |" in worse
    assert "Clawsite, WebSocket | 950 (900 to 1000)" in text


def test_its_plots_are_images(tmp_path: Path) -> None:
    written(tmp_path, RESULTS)

    names = {path.stem for path in (tmp_path / "performance").iterdir()}
    assert names == {"capacity", "cost", "latency"}
    for path in (tmp_path / "performance").iterdir():
        assert ElementTree.parse(path).getroot().tag.endswith("svg")


def test_a_target_that_is_missed_is_said_so() -> None:
    (capacity, *_) = targets(RESULTS["scenarios"])

    assert capacity.values == [1.5, 2.0]
    assert capacity.met is False
    found = targets({"curve": {"Clawsite": [measured(600, 25.0)]}})
    assert {figure.name: figure.met for figure in found}["CPU of a token at 600 streams, us"] is (
        False
    )


def test_nothing_measured_is_no_success(tmp_path: Path) -> None:
    assert all(figure.met is None for figure in targets({}))
    assert "Nothing has been measured" in written(tmp_path)


def test_the_newest_measurement_of_each_scenario_counts(tmp_path: Path) -> None:
    old = RESULTS | {"scenarios": {"relay": {"old": 1}, "idle": {"old": 1}}}
    new = RESULTS | {"scenarios": {"relay": {"new": 1}, "idle": {"failed": "no"}}}
    for name, run in (("1.json", old), ("2.json", new)):
        (tmp_path / name).write_text(json.dumps(run))

    assert page.latest(tmp_path)["scenarios"] == {"relay": {"new": 1}, "idle": {"old": 1}}


def test_what_the_twins_measured_is_said_so(tmp_path: Path) -> None:
    by_twins = RESULTS | {"programs": "Python", "scenarios": {"relay": {}, "idle": {}}}
    in_c = RESULTS | {"programs": "C", "scenarios": {"idle": {}}}

    assert f"**{TWINS}** Here: relay." in written(tmp_path, by_twins, in_c)
    assert TWINS not in written(tmp_path, RESULTS, RESULTS)


def test_a_capacity_of_the_clients_is_not_the_servers(tmp_path: Path) -> None:
    bound = {"peers": {"Channels + Daphne": [searched(300, 9.0) | {"load_bound": True}]}}

    found = written(tmp_path, RESULTS | {"scenarios": bound})

    assert "| 300, or more: clients and model server were at their limit |" in found


def test_a_search_that_was_cut_off_is_no_capacity(tmp_path: Path) -> None:
    cut = {"capacity": 466, "trials": [measured(466, 30.0)]}
    scenarios = {
        "relay": {"pairs": [{"Clawsite": searched(900, 21.0), "Express .create": cut}]},
        "sse": {"Clawsite": [searched(900, 21.0)], "Express .create": [cut]},
    }

    found = written(tmp_path, RESULTS | {"scenarios": scenarios})

    assert "| 466, or more: the search was cut off |" in found
    assert "| capacity against Express .create | >= 2x | not measured in these runs |" in found
    assert "SSE streams held at once" not in found


def test_only_what_one_run_says_of_both_is_compared(tmp_path: Path) -> None:
    fast = {
        "relay": {
            "pairs": [{"Clawsite": searched(900, 9.0), "Express .create": searched(500, 9.0)}]
        }
    }
    both = fast | {"peers": {"FastAPI .create": [searched(100, 9.0)]}}
    later = {
        "relay": {
            "pairs": [{"Clawsite": searched(500, 9.0), "Express .create": searched(500, 9.0)}]
        }
    }
    runs = [RESULTS | {"scenarios": both}, RESULTS | {"scenarios": later, "at": "2026-11-22T10:00"}]

    found = written(tmp_path, *runs)

    assert "| capacity against Express .create | >= 2x | 1 | **not met** |" in found
    assert "| capacity against FastAPI .create | >= 4x | 9 | met |" in found
    assert "| 2026-11-21 13:20, `python -m bench` | a CPU, 2 cores | peers |" in found
    assert "| 2026-11-22 10:00, `python -m bench` | a CPU, 2 cores | relay |" in found


def test_a_busy_machine_is_said_so(tmp_path: Path) -> None:
    found = searched(300, 9.0)
    for trial in found["trials"]:
        trial["foreign"] = 0.5

    assert "| 300; the machine was busy |" in written(
        tmp_path, RESULTS | {"scenarios": {"peers": {"FastAPI .create": [found]}}}
    )


def test_axes_end_above_the_values() -> None:
    svg = plot.lines("t", "x", "y", {"a": [(1, 3.0), (10, 97.0)]}, goal=20)

    assert ">100<" in svg
