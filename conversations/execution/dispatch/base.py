"""The seam between accepted runs and the processes that execute them."""

from collections.abc import Sequence
from typing import Protocol

from conversations.models import Run
from engine.errors import ClawError
from engine.transcript import Transcript


class Dispatcher(Protocol):
    """Takes accepted runs to a process that executes them."""

    draining: bool

    def enqueue(self, runs: Sequence[Run]) -> None:
        """Called within the transaction that makes `runs` ready. Synchronous."""
        ...

    def submit(self, run: Run, transcript: Transcript | None = None) -> None:
        """Called after that transaction. `transcript` is what the run has written before."""
        ...

    async def cancel(self, run: Run, error: ClawError | None = None) -> None:
        """Stop a run, as cancelled or as failed with `error`. A run in line ends at once; a run
        that a process executes is told."""
        ...

    def busy(self, run_id: str) -> bool:
        """Whether this process has the run."""
        ...

    def key_owners(self) -> dict[str, str]:
        """The API keys that have started the runs of this process, each with its organisation."""
        ...

    def states(self) -> dict[str, int]:
        """The number of runs of this process in each state."""
        ...

    def room(self, organization_id: str) -> bool:
        """Whether one more run, of this organisation, is welcome."""
        ...

    async def drain(self, grace: float) -> None:
        """Take no more runs. Let go of those that are not done within `grace` seconds."""
        ...
