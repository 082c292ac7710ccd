"""`conversations.execution.queue.worker`: the runs of a dead worker that have called tools."""

from collections.abc import AsyncIterator

import pytest

from conversations.execution.queue.dispatcher import QueueDispatcher, enqueue
from conversations.execution.queue.worker import Worker
from conversations.models import Run
from core.database import database_step
from tests.conversations.execution.asking import Desk, OneProvider
from tests.conversations.execution.crashes import CrashContract, Recover
from tests.conversations.execution.queued import QueuedParts


class TestScaledOut(CrashContract):
    @pytest.fixture
    def started(self, queued: QueuedParts) -> QueuedParts:
        """A process that is killed."""
        return queued

    @pytest.fixture
    async def recover(self, queued: QueuedParts) -> AsyncIterator[Recover]:
        """A worker that is given the run's job."""
        workers: list[Worker] = []

        async def recovered(run: Run, pool: OneProvider, desk: Desk) -> Run:
            runner = queued.new_runner(providers=pool, open_toolbox=desk.open_for)
            queued.dispatcher = QueueDispatcher(runner, queued.signals)
            workers.append(Worker(queued.dispatcher, queued.new_recovery(), 10))
            workers[0].start()
            await database_step(enqueue, [run])
            return await queued.ended(run)

        yield recovered
        await queued.dispatcher.drain(0)
        await workers[0].stop()
