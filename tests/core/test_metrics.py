"""Several processes count into one folder, and whoever is asked answers for all."""

import os
import subprocess
import sys
from pathlib import Path

from core import metrics

COUNT = """
from core.metrics import FAILED_STEPS, STEP, exposition, REGISTRY
from prometheus_client import Gauge
gauge = Gauge("here", "Now.", ["state"], registry=REGISTRY, multiprocess_mode="livesum")
gauge.labels("open").set({open})
FAILED_STEPS.inc()
STEP.observe(0.003)
print(exposition().decode())
"""


def process(folder: Path, number: int, *, present: int = 0) -> list[str]:
    """What a process says that has counted one of each, in the folder of the given number."""
    own = folder / str(number)
    own.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", COUNT.replace("{open}", str(present))],
        env=os.environ | {metrics.FOLDER: str(own), "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_it_works(tmp_path: Path) -> None:
    process(tmp_path, 0, present=2)
    said = process(tmp_path, 1, present=3)
    assert "clawsite_database_errors_total 2.0" in said
    assert "clawsite_database_step_seconds_count 2.0" in said
    assert 'clawsite_database_step_seconds_bucket{le="0.005"} 2.0' in said
    assert 'here{state="open"} 5.0' in said


def test_who_replaces_a_dead_process_goes_on_counting(tmp_path: Path) -> None:
    process(tmp_path, 0, present=2)
    process(tmp_path, 1, present=3)
    metrics.forget_present(tmp_path / "0")
    said = process(tmp_path, 1, present=3)
    assert "clawsite_database_errors_total 3.0" in said
    assert 'here{state="open"} 3.0' in said
    assert len(list(tmp_path.glob("0/*.db"))) == 2  # no file for each restart


def test_a_number_looked_up_for_an_answer_is_in_it() -> None:
    from prometheus_client.core import GaugeMetricFamily

    looked_up = GaugeMetricFamily("looked_up", "Now.", value=7)
    assert b"looked_up 7.0" in metrics.exposition([looked_up])
