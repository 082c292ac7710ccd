"""Writes what becomes of runs into their organisations' feeds."""

from dataclasses import dataclass
from datetime import timedelta

import msgspec
from django.utils.timezone import now

from conversations.execution.observers import RunObserver
from conversations.feed.base import Event, Phase
from conversations.feed.feed import Feed
from conversations.feed.run_objects import result, run_object
from conversations.models import Run, RunStatus
from engine import events as ev
from engine.transcript import Transcript
from wire import feed as wire

OLD = timedelta(minutes=1)
"""The age of a run whose announcement a busy feed may have forgotten already."""
MAX_TOLD = 10_000
"""Runs that are remembered: the end of some is seen by another process alone."""

_encoder = msgspec.json.Encoder()


@dataclass(slots=True)
class Counted:
    """The counts that the feed has told of a run: its tokens, and the usage reported by then."""

    tokens: int = 0
    reports: int = 0
    reported: int = 0
    counted: int = 0

    def count(self, transcript: Transcript) -> int:
        """The tokens so far: those that are reported, and those since. It never falls."""
        if len(transcript.reports) != self.reports:
            self.reports = len(transcript.reports)
            self.reported = sum(one.input_tokens + one.output_tokens for one in transcript.reports)
            self.counted = transcript.token_count
        so_far = self.reported + transcript.token_count - self.counted
        self.tokens = max(self.tokens, so_far)
        return self.tokens


class RunFeed(RunObserver):
    """Announces each run before it says more of it. Another process may have announced it already,
    or never have come to it: the store keeps the first announcement."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._told: dict[str, Counted] = {}

    def accepted(self, run: Run) -> None:
        self._announce(run, RunStatus.QUEUED)

    def status(self, run: Run, before: str) -> None:
        self._announce(run, before, anew=_is_old(run))
        self._write(
            run, wire.RunStatusChanged(at=now(), run_id=run.pk, from_=before, to=run.status)
        )

    def step(self, run: Run, usage: ev.UsageReported, stop_reason: str | None) -> None:
        self._announce(run)
        told = wire.RunLlmCall(
            at=now(),
            run_id=run.pk,
            provider=run.provider,
            model=run.model,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            cost=usage.cost,
            ttft_ms=usage.ttft_ms,
            duration_ms=usage.duration_ms,
            stop_reason=stop_reason,
        )
        self._write(run, told)

    def tool(self, run: Run, event: ev.ToolCall | ev.ToolResult) -> None:
        self._announce(run)
        if isinstance(event, ev.ToolCall):
            self._write(
                run, wire.RunToolStarted(at=now(), run_id=run.pk, id=event.id, tool=event.tool)
            )
            return
        completed = wire.RunToolCompleted(
            at=now(),
            run_id=run.pk,
            id=event.id,
            tool=event.tool,
            duration_ms=event.duration_ms,
            is_error=event.is_error,
        )
        self._write(run, completed)

    def memory(self, run: Run, event: ev.MemoryOp) -> None:
        self._announce(run)
        told = wire.RunMemoryOp(at=now(), run_id=run.pk, op=event.op, key=event.key)
        self._write(run, told)

    def progress(self, run: Run, transcript: Transcript) -> None:
        counted = self._announce(run)
        costs = [one.cost for one in transcript.reports if one.cost is not None]
        elapsed = now() - run.created_at
        told = wire.RunProgress(
            at=now(),
            run_id=run.pk,
            tokens=counted.count(transcript),
            cost=sum(costs) if costs else None,
            elapsed_ms=round(elapsed.total_seconds() * 1000),
        )
        self._feed.note(run.organization_id, _event(run, told, Phase.GOES_ON))

    def error(self, run: Run, failed: ev.Failed) -> None:
        self._announce(run)
        error = wire.RunError(
            at=now(),
            run_id=run.pk,
            code=failed.code,
            message=failed.message,
            retryable=failed.retryable,
        )
        self._write(run, error)

    def ended(self, run: Run, transcript: Transcript) -> None:
        self.close(run, transcript.done.reason if transcript.done else run.status)

    def close(self, run: Run, reason: str) -> None:
        """Say that a run is over. Only the first who says so is heard."""
        self._announce(run, anew=True)  # those who follow may have come after it began
        completed = wire.RunCompleted(at=now(), result=result(run, reason), run=run_object(run))
        self._write(run, completed, Phase.CLOSES)
        self._told.pop(run.pk, None)

    def _announce(self, run: Run, status: str | None = None, *, anew: bool = False) -> Counted:
        """Say `run:started`, unless this process has; returns what has been told of the run.
        `anew`: the store may have forgotten it."""
        counted = self._told.get(run.pk)
        if counted is None or anew:
            self._feed.record(run.organization_id, announcement(run, status))
        if counted is None:
            counted = self._told[run.pk] = Counted()
            if len(self._told) > MAX_TOLD:
                del self._told[next(iter(self._told))]
        return counted

    def _write(self, run: Run, message: wire.FeedMessage, phase: Phase = Phase.GOES_ON) -> None:
        self._feed.record(run.organization_id, _event(run, message, phase))


def announcement(run: Run, status: str | None = None) -> Event:
    """The event that opens a run: it has begun, in this `status` or as it is."""
    started = wire.RunStarted(at=now(), run=run_object(run, status=status))
    return _event(run, started, Phase.OPENS)


def _is_old(run: Run) -> bool:
    return now() - run.created_at > OLD


def _event(run: Run, message: wire.FeedMessage, phase: Phase) -> Event:
    type_ = str(message.__struct_config__.tag)
    return Event(type_, run.agent_id, run.pk, phase, _encoder.encode(message))
