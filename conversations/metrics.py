"""What operators watch, in Prometheus' terms. Nothing here is touched for a token."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from engine.transcript import Transcript

REGISTRY = CollectorRegistry()

SECONDS = (0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
RATES = (5, 10, 20, 50, 100, 200, 500)

RUNS = Counter("clawsite_runs", "Runs that ended.", ["provider", "reason"], registry=REGISTRY)
ERRORS = Counter("clawsite_errors", "Errors by code.", ["code"], registry=REGISTRY)
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
    buckets=(0.001, 0.005, *SECONDS),
    registry=REGISTRY,
)

AFTER_CANCEL = Counter(
    "clawsite_tokens_after_cancel",
    "Tokens that still came after a stop.",
    ["provider"],
    registry=REGISTRY,
)


def observe_end(provider: str, transcript: Transcript) -> None:
    """A run has ended."""
    if transcript.done is None:
        return
    usage, metrics = transcript.done.usage, transcript.done.metrics
    RUNS.labels(provider, transcript.done.reason).inc()
    TOKENS.labels(provider, "input").inc(usage.input_tokens)
    TOKENS.labels(provider, "output").inc(usage.output_tokens)
    if metrics.ttft_ms is not None:
        FIRST_TOKEN.labels(provider).observe(metrics.ttft_ms / 1000)
    if metrics.tokens_per_second is not None:
        RATE.labels(provider).observe(metrics.tokens_per_second)
    if (error := transcript.error()) is not None:
        ERRORS.labels(error["code"]).inc()


def observe_cancel(provider: str, seconds: float, tokens: int) -> None:
    """A stop has reached the provider: after so many seconds and further tokens."""
    CANCEL.labels(provider).observe(seconds)
    AFTER_CANCEL.labels(provider).inc(tokens)


def observe_error(code: str) -> None:
    """A request or frame was refused."""
    ERRORS.labels(code).inc()


class Present:
    """What is there now, asked when somebody looks."""

    def __init__(self) -> None:
        self._count: Callable[[], dict[str, dict[str, int]]] = dict

    def watch(self, count: Callable[[], dict[str, dict[str, int]]]) -> None:
        """`count()` gives, by gauge name, the numbers of each state."""
        self._count = count

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client's custom collectors."""
        for name, states in self._count().items():
            gauge = GaugeMetricFamily(f"clawsite_{name}", "Present number.", labels=["state"])
            for state, number in states.items():
                gauge.add_metric([state], number)
            yield gauge


PRESENT = Present()
REGISTRY.register(PRESENT)


def exposition() -> bytes:
    """Everything in Prometheus' text format."""
    return generate_latest(REGISTRY)
