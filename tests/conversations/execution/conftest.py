"""What needs the queue runs where there is one: in the process of `test_postgres.py`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from conversations.models import Run
from conversations.signals.channel import Signals
from core.database import database_step
from tests.conversations.execution.asking import Desk
from tests.conversations.execution.killed import Life
from tests.conversations.parts import Parts

collect_ignore = [] if settings.CLAW_SCALED_OUT else ["queue"]


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


@pytest.fixture
def life(tmp_path: Path, transactional_db: None) -> Life:
    """`await life(what_it_did)`: a process that did this and was killed."""

    async def live(what: Callable[[Parts], Awaitable[Run]]) -> Run:
        parts = Parts(tmp_path / "runs")  # never left properly
        run = await what(parts)
        await parts.log.aclose()
        return run

    return live


@pytest.fixture
def desk() -> Desk:
    """Nobody has decided anything."""
    return Desk()
