"""A process with the queue, and what the queue holds."""

from pathlib import Path
from typing import Any, Self

from django.db import connection

from agents.caller import Caller
from conversations.execution.queue.dispatcher import QueueDispatcher, enqueue
from conversations.execution.recording.recorder import Recorder
from conversations.models import Run
from conversations.signals.channel import Signals
from core.database import database_step
from tests.conversations.parts import QUICK, Parts


class QueuedParts(Parts):
    """As `Parts`, with the dispatcher of a process on PostgreSQL and Redis."""

    def __init__(self, folder: Path, signals: Signals) -> None:
        super().__init__(folder)
        self.recorder, self.signals = Recorder(enqueue), signals
        self.runner = self.new_runner()
        self.dispatcher = QueueDispatcher(self.runner, signals)
        self.recovery = self.new_recovery()

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.dispatcher.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await super().__aexit__()
        await self.dispatcher.stop()

    async def start(self, caller: Caller, text: str = QUICK, **fields: Any) -> Run:
        """Accept a message; a worker may take it from here."""
        run = await self.accept(caller, text, **fields)
        await database_step(enqueue, [run])
        return run


def jobs() -> list[tuple[str, str]]:
    """Run and status of all jobs, oldest first. Synchronous."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT args->>'run_id', status::text FROM procrastinate_jobs ORDER BY id")
        return list(cursor.fetchall())
