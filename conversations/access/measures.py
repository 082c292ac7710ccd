"""Numbers about the runs of an organisation in a window of time, for its alert rules.

They are for nobody in particular: a rule belongs to its organisation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from conversations.models import ACTIVE, UNFINISHED, Run, RunStatus

MAX_TIMES = 5000
"""Runs whose times are looked at, the latest."""
FAILED = (RunStatus.FAILED, RunStatus.INTERRUPTED)
OF_VISITORS = Q(owner__startswith="visitor:") | Q(owner__startswith="user:")
"""See `agents.auth.visitors.owner_of`."""
OF_PROVIDERS = "upstream_"
"""The beginning of the codes of errors that a model server has caused."""


@dataclass(frozen=True)
class Window:
    """The runs of an organisation between two moments; no agents means all."""

    organization_id: str
    agents: Sequence[str]
    begin: datetime
    end: datetime

    @property
    def runs(self) -> QuerySet[Run]:
        """All of the organisation's runs about these agents."""
        rows = Run.objects.filter(organization=self.organization_id)
        return rows.filter(agent__in=self.agents) if self.agents else rows

    @property
    def ended(self) -> QuerySet[Run]:
        """Those that ended in the window."""
        return self.runs.filter(finished_at__gte=self.begin, finished_at__lt=self.end)


def error_rate(window: Window) -> float | None:
    """The share of the runs that ended which failed or were interrupted; None without any."""
    count = window.ended.count()
    return window.ended.filter(status__in=FAILED).count() / count if count else None


def provider_errors(window: Window) -> float:
    """The runs that failed because of a model server."""
    failed = window.ended.filter(status__in=FAILED).alias(code=KT("error__code"))
    return float(failed.filter(code__startswith=OF_PROVIDERS).count())


def latency_p95(window: Window) -> float | None:
    """The 95th percentile of the milliseconds from the beginning to the end of the work."""
    done = window.ended.filter(status=RunStatus.COMPLETED).exclude(started_at=None)
    times = done.order_by("-finished_at").values_list("started_at", "finished_at")[:MAX_TIMES]
    return percentile([(end - begin).total_seconds() * 1000 for begin, end in times])


def ttft_p95(window: Window) -> float | None:
    """The 95th percentile of the milliseconds from the beginning of the work to the first token."""
    rows = window.ended.order_by("-finished_at").values_list("usage__ttftMs", flat=True)
    return percentile([float(time) for time in rows[:MAX_TIMES] if time is not None])


def runs(window: Window) -> float:
    """The messages that were accepted."""
    within = window.runs.filter(created_at__gte=window.begin, created_at__lt=window.end)
    return float(within.count())


def tokens(window: Window) -> float:
    """Input and output of the runs that ended."""
    used = Sum(_tokens("inputTokens") + _tokens("outputTokens"), default=0)
    return float(window.ended.exclude(usage=None).aggregate(used=used)["used"])


def cost(window: Window) -> float:
    """US dollars of the runs that ended."""
    return float(window.ended.aggregate(cost=Sum("cost", default=0))["cost"])


def visitor_cost(window: Window) -> float:
    """US dollars of the visitor or user whose runs cost most."""
    sums = window.ended.filter(OF_VISITORS).values("owner").annotate(spent=Sum("cost", default=0))
    return float(sums.order_by("-spent").values_list("spent", flat=True).first() or 0)


def queue_age(window: Window) -> float:
    """Milliseconds for which the oldest run waits that could begin: no other of its conversation is
    at work."""
    active = Run.objects.filter(conversation=OuterRef("conversation"), status__in=ACTIVE)
    waiting = window.runs.filter(UNFINISHED, ~Exists(active), status=RunStatus.QUEUED)
    oldest = waiting.order_by("created_at").values_list("created_at", flat=True).first()
    return max((window.end - oldest).total_seconds() * 1000, 0.0) if oldest else 0.0


MEASURES: dict[str, Callable[[Window], float | None]] = {
    "error_rate": error_rate,
    "provider_errors": provider_errors,
    "latency_p95": latency_p95,
    "ttft_p95": ttft_p95,
    "runs": runs,
    "tokens": tokens,
    "cost": cost,
    "visitor_cost": visitor_cost,
    "queue_age": queue_age,
}
"""By the name of the metric; that of budgets is in `conversations.usage.keeping`."""


def percentile(values: Sequence[float], share: float = 0.95) -> float | None:
    """The value below which this share of all lies; None of none."""
    ordered = sorted(values)
    return ordered[int(len(ordered) * share)] if ordered else None


def _tokens(name: str) -> Cast:
    return Cast(KT(f"usage__{name}"), BigIntegerField())
