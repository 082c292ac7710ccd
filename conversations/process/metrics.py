"""Metrics of runs and of what a process holds now. No token touches anything here."""

import asyncio
from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from conversations.execution.observers import RunObserver
from conversations.models import Run
from conversations.process.backlog import Backlog
from core.metrics import REGISTRY, SECONDS, SHARED, SHORT
from core.tasks.background import Background
from engine import events as ev
from engine.transcript import Transcript

RATES = (5, 10, 20, 50, 100, 200, 500)

RUNS = Counter("clawsite_runs", "Runs that ended.", ["provider", "reason"], registry=REGISTRY)
ERRORS = Counter(
    "clawsite_errors",
    "Errors by code: refused requests and frames, and runs that failed.",
    ["code"],
    registry=REGISTRY,
)
TOKENS = Counter(
    "clawsite_tokens", "Tokens by provider and direction.", ["provider", "kind"], registry=REGISTRY
)
FIRST_TOKEN = Histogram(
    "clawsite_first_token_seconds",
    "From the start of a run to its first token.",
    ["provider"],
    buckets=SECONDS,
    registry=REGISTRY,
)
RATE = Histogram(
    "clawsite_tokens_per_second",
    "Tokens per second of an answer, from its first token.",
    ["provider"],
    buckets=RATES,
    registry=REGISTRY,
)
CANCEL = Histogram(
    "clawsite_cancel_seconds",
    "From a stop to the closed model stream.",
    ["provider"],
    buckets=SHORT,
    registry=REGISTRY,
)

AFTER_CANCEL = Counter(
    "clawsite_tokens_after_cancel",
    "Tokens that still came after a stop.",
    ["provider"],
    registry=REGISTRY,
)


class RunMetrics(RunObserver):
    """Counts what becomes of runs."""

    def stopped(self, run: Run, seconds: float, tokens: int) -> None:
        CANCEL.labels(run.provider).observe(seconds)
        AFTER_CANCEL.labels(run.provider).inc(tokens)

    def error(self, run: Run, failed: ev.Failed) -> None:
        observe_error(failed.code)

    def ended(self, run: Run, transcript: Transcript) -> None:
        if transcript.done is None:
            return
        provider, done = run.provider, transcript.done
        RUNS.labels(provider, done.reason).inc()
        TOKENS.labels(provider, "input").inc(done.usage.input_tokens)
        TOKENS.labels(provider, "output").inc(done.usage.output_tokens)
        if done.metrics.ttft_ms is not None:
            FIRST_TOKEN.labels(provider).observe(done.metrics.ttft_ms / 1000)
        if done.metrics.tokens_per_second is not None:
            RATE.labels(provider).observe(done.metrics.tokens_per_second)


def observe_error(code: str) -> None:
    """A request or frame was refused."""
    ERRORS.labels(code).inc()


def _gauge(name: str, meaning: str) -> Gauge:
    # Of several processes, the sum over those that live.
    return Gauge(
        f"clawsite_{name}", meaning, ["state"], registry=REGISTRY, multiprocess_mode="livesum"
    )


GAUGES = {
    "connections": _gauge("connections", "WebSockets and event streams that are open."),
    "live_runs": _gauge("live_runs", "Runs that are being carried out."),
    "journals": _gauge("journals", "What the event log holds: runs, bytes."),
    "tasks": _gauge("tasks", "Tasks of the event loop."),
}
REFRESH_SECONDS = 5.0  # how old the numbers of another process may be


class Present:
    """The current numbers: looked up when somebody asks and, where other processes are asked too,
    every few seconds."""

    def __init__(self, count: Callable[[], dict[str, dict[str, int]]]) -> None:
        """`count()` gives, by the name of a gauge, the number for each state."""
        self._count = count
        self._seen: set[tuple[str, str]] = set()
        self._background = Background()

    def start(self) -> None:
        """Begin to refresh, if other processes answer for this one."""
        if SHARED:
            self._background.start(self._refresh())

    async def stop(self) -> None:
        """The end of `start`."""
        await self._background.stop()

    def look(self) -> None:
        """Set the gauges to what is there now."""
        counted = {
            (name, state): number
            for name, states in self._count().items()
            for state, number in states.items()
        }
        for name, state in self._seen - counted.keys():
            GAUGES[name].labels(state).set(0)
        for (name, state), number in counted.items():
            GAUGES[name].labels(state).set(number)
        self._seen |= counted.keys()

    async def _refresh(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(REFRESH_SECONDS)


def of_backlog(backlog: Backlog) -> list[Metric]:
    """The unfinished work of all processes together; each process reports the same."""
    runs = GaugeMetricFamily(
        "clawsite_unfinished_runs", "Runs that wait or are under way.", labels=["status"]
    )
    for status, number in backlog.runs.items():
        runs.add_metric([status], number)
    workers = GaugeMetricFamily(
        "clawsite_workers", "Processes that carry out runs.", value=backlog.workers
    )
    return [runs, workers]
