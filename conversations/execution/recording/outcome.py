"""The end of a run: its outcome event and its `done`, from the transcript."""

import time
from dataclasses import dataclass, field
from typing import Literal

from msgspec.structs import replace

from conversations.execution.recording import storable
from conversations.execution.recording.storable import count
from engine import events as ev
from engine.errors import ClawError, ProviderError
from engine.transcript import Transcript


@dataclass(slots=True)
class Timing:
    """Times on the monotonic clock: those of the run's own work, without its queue and its
    waits."""

    begun: float = field(default_factory=time.monotonic)
    first_token: float | None = None
    cancel_ms: int | None = None  # from a stop to the moment in which the model server was left

    @classmethod
    def after(cls, transcript: Transcript) -> "Timing":
        """Times as if the run had not waited."""
        timing = cls(time.monotonic() - transcript.worked_ms / 1000)
        if transcript.waits and transcript.ttft_ms is not None:
            timing.first_token = timing.begun + transcript.ttft_ms / 1000
        return timing

    def first_token_came(self) -> int:
        """Note it; the milliseconds since the work began."""
        self.first_token = time.monotonic()
        return self.elapsed_ms()

    def elapsed_ms(self) -> int:
        return round((time.monotonic() - self.begun) * 1000)

    def tokens_per_second(self, tokens: int) -> float | None:
        """Counted from the first token; None where a rate means nothing."""
        if self.first_token is None or tokens < 2:
            return None
        streamed = time.monotonic() - self.first_token
        return round(tokens / streamed, 2) if streamed > 0 else None


def usage(transcript: Transcript, timing: Timing) -> ev.Usage:
    """All model calls of the run added up, as its row can hold it. The cost is unknown if that of
    any call is."""
    reports = transcript.reports
    costs = [report.cost for report in reports]
    known = [cost for cost in costs if cost is not None]
    input_tokens = count(sum(report.input_tokens for report in reports))
    output_tokens = count(sum(report.output_tokens for report in reports))
    estimated = any(report.source == "estimated" for report in reports)
    return ev.Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        total_tokens=input_tokens + output_tokens,
        cost=storable.cost(round(sum(known, 0.0), 12)) if len(known) == len(costs) else None,
        model=transcript.started.model if transcript.started else "",
        latency_ms=timing.elapsed_ms(),
        ttft_ms=transcript.ttft_ms,
        tokens_per_second=timing.tokens_per_second(transcript.token_count),
        source="estimated" if estimated else "provider",
        cache_read_tokens=count(sum(report.cache_read_tokens for report in reports)),
        cache_write_tokens=count(sum(report.cache_write_tokens for report in reports)),
        reasoning_tokens=count(sum(report.reasoning_tokens for report in reports)),
    )


def complete(transcript: Transcript, timing: Timing) -> ev.MessageComplete:
    """The answer stands."""
    return ev.MessageComplete(
        content=str(transcript.text),
        usage=usage(transcript, timing),
        stop_reason=storable.text(transcript.steps[-1].stop_reason, storable.MAX_REASON),
    )


def cancelled(transcript: Transcript, timing: Timing) -> ev.Cancelled:
    """Somebody said stop."""
    return ev.Cancelled(content=str(transcript.text), usage=usage(transcript, timing))


def joined(run_id: str, transcript: Transcript, timing: Timing) -> ev.Cancelled:
    """Its message has joined another run, so there is no answer of its own."""
    return replace(cancelled(transcript, timing), joined_run_id=run_id)


def failed(error: ClawError, transcript: Transcript, timing: Timing) -> ev.Failed:
    """It cannot go on; what was said so far is kept."""
    return ev.Failed(
        code=error.code,
        message=error.message,
        retryable=(isinstance(error, ProviderError) and error.retryable)
        or error.code in ("run_interrupted", "unavailable"),
        content=str(transcript.text),
        usage=usage(transcript, timing),
        retry_after=error.retry_after,
    )


def unstorable() -> ClawError:
    """The error of a run whose answer the database refuses."""
    return ClawError("internal_error", "The answer could not be stored.")


def interrupted() -> ClawError:
    """The error of a run whose process went away."""
    return ClawError(
        "run_interrupted", "The server stopped before the answer was complete. Please try again."
    )


def done(transcript: Transcript) -> ev.Done:
    """The last event, from a transcript that has its outcome: no other clock, so it is the same
    when a later process writes it."""
    outcome = transcript.outcome
    if outcome is None:
        raise ValueError("a run without an outcome is not done")
    return ev.Done(
        reason=_reason(outcome),
        usage=outcome.usage,
        cost=outcome.usage.cost,
        metrics=ev.Metrics(
            ttft_ms=outcome.usage.ttft_ms,
            total_ms=outcome.usage.latency_ms,
            token_count=transcript.token_count,
            tokens_per_second=outcome.usage.tokens_per_second,
        ),
        digest=transcript.text.digest(),
        length=transcript.text.size,
    )


def _reason(
    outcome: ev.Outcome,
) -> Literal["complete", "cancelled", "error", "interrupted", "budget_exceeded"]:
    match outcome:
        case ev.MessageComplete():
            return "complete"
        case ev.Cancelled():
            return "cancelled"
        case ev.Failed(code="run_interrupted"):
            return "interrupted"
        case ev.Failed(code="budget_exceeded"):
            return "budget_exceeded"
    return "error"
