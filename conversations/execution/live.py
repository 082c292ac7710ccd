"""A run that this process is carrying out, and how it is told to stop."""

import asyncio
import time

from conversations.models import Run
from engine.errors import ClawError
from engine.transcript import Transcript


class Left(Exception):
    """This process lets go of the run before its end; another one goes on with it."""


class Live:
    """Handle on one running attempt.

    Only the phase that talks to the model is ever cancelled; recording the outcome is not."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.task: asyncio.Task[None] | None = None
        self.stopped = self.leaving = False
        self.transcript = Transcript()
        self.stopped_at, self.tokens_at_stop = 0.0, 0
        self.error: ClawError | None = None
        self._producing = False

    def stop(self, error: ClawError | None = None) -> None:
        """Stop the answer: as `cancelled`, or as failed with `error`. The first call counts."""
        if self.stopped:
            return
        self.stopped, self.error = True, error
        self.stopped_at, self.tokens_at_stop = time.monotonic(), self.transcript.token_count
        if self._producing and self.task is not None:
            self.task.cancel()

    def leave(self) -> None:
        """Let go of the run: what it has written stays, and it gets no outcome here."""
        self.leaving = True
        self.stop()

    def __enter__(self) -> None:
        """From here on `stop` cancels the task. Raises CancelledError if it came before."""
        self._producing = True
        if self.stopped:
            self._producing = False
            raise asyncio.CancelledError

    def __exit__(self, *_: object) -> None:
        self._producing = False
