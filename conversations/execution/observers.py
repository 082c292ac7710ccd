"""Observers are told what happens in runs, and are not in their way."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from conversations.execution.dispatch.handle import RunHandle
from conversations.models import Run
from core.tasks.background import Background
from engine import events as ev
from engine.transcript import Transcript

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.5


class RunObserver:
    """Base of all observers: each overrides the methods that it needs, and is registered in
    `conversations/process/wiring.py`.

    All but `accepted` are called in the process that executes the run, in the order of what
    happens. They must return at once: an observer that writes somewhere puts what it is told into
    a bounded queue, which a task of its own empties. An exception of a method is logged and harms
    no run.
    `run` and `transcript` are the runner's own: copy what you keep. For example:

        class Announcer(RunObserver):
            def __init__(self, queue: asyncio.Queue[str]) -> None:
                self._queue = queue

            def ended(self, run: Run, transcript: Transcript) -> None:
                self._queue.put_nowait(f"{run.pk} ended as {transcript.status}")
    """

    def accepted(self, run: Run) -> None:
        """The run is stored and waits to be claimed. The accepting process calls this; nobody calls
        it for a run that is claimed as it is accepted."""

    def started(self, run: Run) -> None:
        """The run begins to work, for the first time."""

    def status(self, run: Run, before: str) -> None:
        """The run's stored status was `before` and is `run.status` now."""

    def step(self, run: Run, usage: ev.UsageReported, stop_reason: str | None) -> None:
        """A model call has ended; `stop_reason` is None if it was cut."""

    def tool(self, run: Run, event: ev.ToolCall | ev.ToolResult) -> None:
        """The model has called a tool, or a tool has returned."""

    def memory(self, run: Run, event: ev.MemoryOp) -> None:
        """A tool has done something with the memory of the run's owner."""

    def progress(self, run: Run, transcript: Transcript) -> None:
        """The run has written something since the last call: at most two calls a second a run."""

    def stopped(self, run: Run, seconds: float, tokens: int) -> None:
        """A stop has reached the provider, `seconds` and `tokens` after it was asked for."""

    def error(self, run: Run, failed: ev.Failed) -> None:
        """The run has failed. `ended` follows."""

    def ended(self, run: Run, transcript: Transcript) -> None:
        """The run is over: its outcome is stored and `done` is in its log."""


class Observers(RunObserver):
    """All observers of a process, as one that never raises."""

    def __init__(self, *observers: RunObserver) -> None:
        self._observers = observers

    @property
    def watch_progress(self) -> bool:
        """Whether any of them overrides `progress`."""
        return any(type(one).progress is not RunObserver.progress for one in self._observers)

    def accepted(self, run: Run) -> None:
        self._tell(lambda one: one.accepted(run))

    def started(self, run: Run) -> None:
        self._tell(lambda one: one.started(run))

    def status(self, run: Run, before: str) -> None:
        self._tell(lambda one: one.status(run, before))

    def step(self, run: Run, usage: ev.UsageReported, stop_reason: str | None) -> None:
        self._tell(lambda one: one.step(run, usage, stop_reason))

    def tool(self, run: Run, event: ev.ToolCall | ev.ToolResult) -> None:
        self._tell(lambda one: one.tool(run, event))

    def memory(self, run: Run, event: ev.MemoryOp) -> None:
        self._tell(lambda one: one.memory(run, event))

    def progress(self, run: Run, transcript: Transcript) -> None:
        self._tell(lambda one: one.progress(run, transcript))

    def stopped(self, run: Run, seconds: float, tokens: int) -> None:
        self._tell(lambda one: one.stopped(run, seconds, tokens))

    def error(self, run: Run, failed: ev.Failed) -> None:
        self._tell(lambda one: one.error(run, failed))

    def ended(self, run: Run, transcript: Transcript) -> None:
        if isinstance(transcript.outcome, ev.Failed):
            self.error(run, transcript.outcome)
        self._tell(lambda one: one.ended(run, transcript))

    def _tell(self, call: Callable[[RunObserver], None]) -> None:
        for one in self._observers:
            try:
                call(one)
            except Exception:  # whatever it is: an observer must not harm a run
                log.exception("%s failed", type(one).__name__)


class ProgressTicker:
    """Tells the observers about progress, so that the path of a token need not."""

    def __init__(self, observers: Observers, handles: Callable[[], Iterable[RunHandle]]) -> None:
        """`handles()` gives the runs that this process executes now."""
        self._observers, self._handles = observers, handles
        self._told: dict[str, int] = {}
        self._background = Background()

    def start(self) -> None:
        """Tick twice a second, if any observer watches progress."""
        if self._observers.watch_progress:
            self._background.start(self._tick_for_ever())

    async def stop(self) -> None:
        """End what `start` began."""
        await self._background.stop()

    def tick(self) -> None:
        """Tell of each run that has written something since the last tick."""
        told = {}
        for handle in self._handles():
            run, transcript = handle.run, handle.transcript
            told[run.pk] = transcript.last_seq
            if transcript.last_seq != self._told.get(run.pk, 0):
                self._observers.progress(run, transcript)
        self._told = told

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            self.tick()
