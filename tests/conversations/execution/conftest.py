"""What needs the queue runs where there is one: in the process of `test_postgres.py`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from accounts.database import database_step
from conversations.signals import Signals
from tests.conversations.parts import Parts

collect_ignore = [] if settings.CLAW_SCALED_OUT else ["test_queue.py", "test_worker.py"]


def empty_queue() -> None:
    """Its tables are procrastinate's: the test database is not emptied of them."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


@pytest.fixture
async def queued(tmp_path: Path, signals: Signals, transactional_db: None) -> AsyncIterator[Parts]:
    """The run engine of a process that hands its runs to the queue."""
    from tests.conversations.execution.queued import QueuedParts

    await database_step(empty_queue)
    async with QueuedParts(tmp_path / "runs", signals) as parts:
        yield parts
