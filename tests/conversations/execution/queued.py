"""A process with the queue, and what the queue holds."""

from pathlib import Path
from typing import Any, Self

from django.db import connection

from accounts.database import database_step
from agents.caller import Caller
from conversations.execution.queue import QueueDispatcher, enqueue
from conversations.execution.recorder import Recorder
from conversations.execution.recovery import Recovery
from conversations.execution.runner import Runner
from conversations.models import Run
from conversations.signals import Signals
from tests.conversations.parts import QUICK, Parts


class QueuedParts(Parts):
    """As `Parts`, with the dispatcher of a process on PostgreSQL and Redis."""

    def __init__(self, folder: Path, signals: Signals) -> None:
        super().__init__(folder)
        self.recorder = Recorder(enqueue)
        self.runner = Runner(self.log, self.recorder, self.providers)
        self.dispatcher = QueueDispatcher(self.runner, signals)
        self.recovery = Recovery(self.log, self.dispatcher, self.recorder)

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
