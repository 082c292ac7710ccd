"""`conversations.runs`: a message that was accepted can be followed, whoever is faster."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from accounts.database import database_step
from conversations import runs, wiring
from conversations.execution.job import stamp, started_event
from engine.log.redis import RedisLog
from tests.conversations.parts import ask
from tests.redis_server import RedisServer

pytestmark = pytest.mark.redis


async def test_it_works(caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker may claim a run before its first event is written, and then has to write it."""
    redis = RedisServer(tmp_path / "redis")
    redis.start()
    log = RedisLog(redis.url, retention=600)
    monkeypatch.setattr(wiring, "_services", SimpleNamespace(log=log))
    try:
        accepted = await database_step(ask, caller)
        worker = log.writer(stamp(accepted.run), 1)
        await worker.flush()
        beginning = asyncio.create_task(runs._begin_log(accepted))
        await asyncio.wait([beginning], timeout=0.3)
        assert not beginning.done()  # there is nothing to follow yet

        worker.append(started_event(accepted.run))
        await worker.flush()
        await asyncio.wait_for(beginning, 2)
        await runs.check_kept(accepted.run)
    finally:
        await log.aclose()
        redis.stop()
