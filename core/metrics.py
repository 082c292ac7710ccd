"""Prometheus metrics: the registry, and the metrics of the database.

docs/metrics.md describes every metric. No metric is touched for a token.

The processes of one `serve --workers` count into files: each has a folder of its own, which the
supervisor makes and names in `PROMETHEUS_MULTIPROC_DIR`; the process that is asked adds them up.
A process that replaces a dead one goes on with its files, so no count is lost or goes back."""

import os
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it itself
SHARED = FOLDER in os.environ

if SHARED:  # not by process id: each restart would leave files behind
    values.ValueClass = values.MultiProcessValue(lambda: 0)

REGISTRY = CollectorRegistry()
SECONDS = (0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
SHORT = (0.001, 0.005, *SECONDS)

WAIT = Histogram(
    "clawsite_database_wait_seconds",
    "How long steps waited for the database thread.",
    buckets=SHORT,
    registry=REGISTRY,
)
STEP = Histogram(
    "clawsite_database_step_seconds",
    "How long steps of database work took, with all of their queries.",
    buckets=SHORT,
    registry=REGISTRY,
)
FAILED_STEPS = Counter(
    "clawsite_database_errors", "Steps to which the database did not answer.", registry=REGISTRY
)


class _All:
    """The sums over all processes that share a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """See prometheus_client's custom collectors."""
        return MultiProcessCollector.merge(map(str, self._folder.glob("*/*.db")))


class _Given:
    """Numbers that were looked up for this answer."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """See prometheus_client's custom collectors."""
        return self._metrics


def exposition(also: Iterable[Metric] = ()) -> bytes:
    """Everything in Prometheus' text format, with what was looked up for it."""
    shown = CollectorRegistry()
    shown.register(_All(Path(os.environ[FOLDER]).parent) if SHARED else REGISTRY)
    shown.register(_Given(also))
    return generate_latest(shown)


def forget_present(folder: Path) -> None:
    """A process has died: what it said of the present is no longer so. Its counts stay."""
    for file in folder.glob("gauge_*.db"):
        file.unlink()
