"""Redis or PostgreSQL go away under load and come back: nobody crashes, nothing is lost."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.live.clients import Rest
from tests.live.installation import ScaledOut
from tests.live.raw import until
from tests.live.scaled.asking import Asker, ended, query, under_way
from tests.live.scaled.stack import Stack
from tests.live.watching import check_history, check_run
from tests.postgres_server import Databases, PostgresServer
from tests.upstream import expected_text

DOWN = 3.0  # seconds
BACK = 5.0  # P21
SHORT = "[[upstream tokens=20 delay=5]]"
LONG = "[[upstream tokens=300 delay=20]]"


@pytest.fixture
def postgres(installation: ScaledOut) -> Iterator[PostgresServer]:
    """One that may be killed."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def private(installation: ScaledOut, postgres: PostgresServer, tmp_path: Path) -> Iterator[Stack]:
    """A stack on PostgreSQL and Redis of its own."""
    with installation.moved_to(Databases(postgres.url)).deployed(tmp_path) as stack:
        yield stack.start()


async def ready(stack: Stack) -> list[tuple[int, dict[str, str]]]:
    """What `/readyz` of every process says."""
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        answers = [await client.get(f"{web.url}/readyz") for web in stack.webs]
    return [(answer.status_code, answer.json()["checks"]) for answer in answers]


async def survive(
    stack: Stack, name: str, leave: Callable[[], None], come: Callable[[], None]
) -> None:
    """Go through an outage with runs under way, that begin, that end and that are stopped."""
    pids = [process.pid for process in stack.processes]
    askers = await under_way(stack, 10, LONG) + [Asker(stack, SHORT) for _ in range(5)]
    await asyncio.to_thread(leave)
    begun = time.monotonic()
    askers += [Asker(stack, SHORT) for _ in range(5)]
    for code, checks in await ready(stack):
        assert (code, checks[name]) == (503, "unavailable")
    await asyncio.sleep(max(0.0, DOWN - (time.monotonic() - begun)))  # it is the outage's length
    await asyncio.to_thread(come)
    back = time.monotonic()
    askers += [Asker(stack, SHORT) for _ in range(5)]
    async with asyncio.timeout(BACK):
        while {code for code, _ in await ready(stack)} != {200}:
            pass
        await ended(askers[-5:])
    assert time.monotonic() - back < BACK
    await ended(askers)
    assert [process.pid for process in stack.processes] == pids
    assert all(process.process.poll() is None for process in stack.processes)
    await until(lambda: query(stack, "SELECT count(*) FROM procrastinate_jobs") == [(0,)])
    async with Rest(stack.url, stack.keys.acme) as rest:
        for asker in askers:
            text = expected_text("tokens=300" if asker.content == LONG else "tokens=20")
            assert check_run(asker.watch.events, text)["type"] == "message_complete"
            await check_history(rest, asker.watch.events)


async def test_redis_is_away_for_three_seconds(private: Stack) -> None:
    """P1, P2, P5, P21."""
    await survive(private, "redis", private.redis.kill, private.redis.start)


async def test_postgresql_is_away_for_three_seconds(
    private: Stack, postgres: PostgresServer
) -> None:
    """P1, P2, P5, P21."""
    await survive(private, "database", postgres.kill, postgres.start)
