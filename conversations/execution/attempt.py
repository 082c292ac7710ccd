"""One attempt at a run: it writes into the run's log, and knows what the log held before."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from conversations.execution.claim import ClaimedRun
from conversations.execution.observers import Observers
from conversations.execution.recording import outcome
from conversations.execution.recording.marks import MAX_MARKS, Marks
from conversations.execution.recording.outcome import Timing
from conversations.execution.recording.recorder import FinishedRun, Recorder
from conversations.execution.waiting.children import stop_children
from conversations.models import Run, RunStatus
from core.database import database_step
from engine import events as ev
from engine.log.base import Log, UnknownRun, Writer
from engine.transcript import Transcript, fold, fold_all

ENDS = (ev.MessageComplete, ev.Cancelled, ev.Failed, ev.RunWaiting)
"""The last events of an attempt but `done`: the times of all before are written with them."""
OBSERVED = frozenset({ev.Step, ev.ToolCall, ev.ToolResult, ev.MemoryOp})


@dataclass(slots=True)
class Attempt:
    """One attempt: the only writer of its run for as long as it lasts."""

    claimed: ClaimedRun
    writer: Writer
    transcript: Transcript
    observers: Observers
    timing: Timing = field(default_factory=Timing)
    marks: Marks = field(default_factory=Marks)

    @property
    def run(self) -> Run:
        """The run that is attempted."""
        return self.claimed.run

    def append(self, event: ev.Event) -> None:
        """Write an event into the log, then fold it: nobody sees an event before the log has it."""
        self.extend([event])

    def extend(self, events: Sequence[ev.NewEvent]) -> None:
        """The same for events that arrived together."""
        transcript = self.transcript
        if self.timing.first_token is None:
            events = self._timed(events)
        if isinstance(events[-1], ENDS):
            events = [*events[:-1], self.marks.timeline(), events[-1]]
        transcript.last_seq = self.writer.extend(events)
        marks = self.marks  # noted here, because a call for each token is too much
        marks.seqs.append(transcript.last_seq)
        marks.times.append(monotonic())
        if len(marks.seqs) > MAX_MARKS:
            marks.thin_out()
        for event in events:
            fold(transcript, event)
            if type(event) in OBSERVED:
                self._observe(event)

    def _timed(self, events: Sequence[ev.NewEvent]) -> Sequence[ev.NewEvent]:
        """The same events; the first token of this attempt, if it is among them, says its time."""
        for place, event in enumerate(events):
            if isinstance(event, ev.Tokens):
                timed = event.timed(self.timing.first_token_came())
                return [*events[:place], *timed, *events[place + 1 :]]
        return events

    def _observe(self, event: ev.NewEvent) -> None:
        match event:
            case ev.Step():
                self.observers.step(self.run, self.transcript.reports[-1], event.stop_reason)
            case ev.ToolResult(id=id) if all(tool.id != id for tool in self.transcript.tools):
                pass  # an answer to another agent, whose run tells its observers, or to a server
            case ev.ToolCall() | ev.ToolResult():
                self.observers.tool(self.run, event)
            case ev.MemoryOp():
                self.observers.memory(self.run, event)


async def take_over(attempt: Attempt, log: Log) -> None:
    """Make the run's log this attempt's own. An earlier attempt that is slow but alive may have
    written after this attempt's transcript was read: that is folded too."""
    await attempt.writer.flush()  # from here on the run is ours, and `seq` is what is stored
    transcript = attempt.transcript
    if transcript.last_seq < attempt.writer.seq:
        await read_transcript(log, attempt.run.pk, transcript)
    attempt.marks.begin(transcript.last_seq)


async def read_transcript(
    log: Log, run_id: str, transcript: Transcript | None = None
) -> Transcript:
    """Fold everything that the log holds of a run, or what comes after `transcript`. The result is
    empty if the log holds nothing."""
    transcript = transcript or Transcript()
    try:
        while batch := await log.read(run_id, transcript.last_seq):
            fold_all([entry.data for entry in batch], transcript)
            await asyncio.sleep(0)  # a long log must not hold up everybody else
    except UnknownRun:
        pass
    return transcript


async def finish(attempt: Attempt, recorder: Recorder) -> list[Run]:
    """Commit a transcript that has its outcome, then write `done`. Returns the runs to submit:
    those to begin now, and those of other agents that nobody waits for any more."""
    run, transcript = attempt.run, attempt.transcript
    following: list[Run] = []
    if any(tool.child_run_id for tool in transcript.tools):
        following += await database_step(stop_children, run.pk, recorder.enqueue)
    finished = FinishedRun(run, attempt.claimed.attempt, transcript, attempt.timing.cancel_ms)
    following += await recorder.commit(finished)
    attempt.append(outcome.done(transcript))
    await attempt.writer.flush()
    attempt.observers.status(run, RunStatus.RUNNING)
    attempt.observers.ended(run, transcript)
    return following
