"""docs/metrics.md describes what `/metrics` has, with its labels, and nothing else."""

import re
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram

from clawsite.http import exchange  # noqa: F401 - counts into the registry
from conversations.process.backlog import Backlog
from conversations.process.metrics import of_backlog
from core.metrics import REGISTRY

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "metrics.md").read_text()
ROW = re.compile(r"^\| `(clawsite_\w+)` \| (\w+) \|([^|]*)\| .+ \|$", re.MULTILINE)


def documented() -> dict[str, tuple[str, set[str]]]:
    """Kind and labels by name."""
    return {
        name: (kind, set(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels in ROW.findall(PAGE)
    }


def registered() -> dict[str, tuple[str, set[str]]]:
    """The same, of the product."""
    found = {}
    for metric in REGISTRY._collector_to_names:
        assert isinstance(metric, (Counter, Gauge, Histogram))
        name = metric._name + ("_total" if isinstance(metric, Counter) else "")
        found[name] = (metric._type, set(metric._labelnames))
    for family in of_backlog(Backlog({"queued": 1}, 1)):
        labels = set().union(*(sample.labels for sample in family.samples))
        found[family.name] = (family.type, labels)
    return found


def test_it_works() -> None:
    assert "clawsite_runs_total" in registered()


def test_every_metric_is_described_once() -> None:
    assert documented() == registered()
    names = [name for name, _, _ in ROW.findall(PAGE)]
    assert len(names) == len(set(names))


def test_what_is_told_to_watch_exists() -> None:
    named = set(re.findall(r"clawsite_[a-z_]+", PAGE))
    assert {name for name in named if name not in registered()} == set()
