"""A run that this process executes, and the way to stop it."""

import asyncio
import time
from typing import Any

from conversations.models import Run
from engine.errors import ClawError
from engine.transcript import Transcript


class Released(Exception):
    """This process releases the run before its end; another process continues it."""


def error_of(stop: dict[str, Any]) -> ClawError | None:
    """The error to end a run with, as its row says it: `stop_of` read back."""
    return ClawError(stop["code"], stop["message"]) if stop else None


def stop_of(error: ClawError | None) -> dict[str, Any]:
    """The content of a run's field `stop`: the error to end with, or nothing."""
    return {"code": error.code, "message": error.message} if error else {}


class RunHandle:
    """Handle on one running attempt.

    Only the phase that talks to the model is ever cancelled; recording the outcome is not."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.task: asyncio.Task[None] | None = None
        self.stopped = self.releasing = False
        self.transcript = Transcript()
        self.stopped_at, self.tokens_at_stop = 0.0, 0
        self.error: ClawError | None = None
        self.woken = False  # submitted again, while this attempt was not over yet
        self._producing = False
        if run.stop is not None:  # asked for while no process had the run
            self.stop(error_of(run.stop))

    def stop(self, error: ClawError | None = None) -> None:
        """Stop the answer: as `cancelled`, or as failed with `error`. The first call counts."""
        if self.stopped:
            return
        self.stopped, self.error = True, error
        self.stopped_at, self.tokens_at_stop = time.monotonic(), self.transcript.token_count
        if self._producing and self.task is not None:
            self.task.cancel()

    @property
    def since_stop(self) -> float:
        """Seconds since it was stopped."""
        return time.monotonic() - self.stopped_at

    def release(self) -> None:
        """Stop the attempt without an outcome: what it has written stays."""
        self.releasing = True
        self.stop()

    def __enter__(self) -> None:
        """From here on `stop` cancels the task. Raises CancelledError if it was stopped before."""
        self._producing = True
        if self.stopped:
            self._producing = False
            raise asyncio.CancelledError

    def __exit__(self, *_: object) -> None:
        self._producing = False
