"""`serve --workers 2`: one port, two processes, a parent that keeps them."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.live.clients import WebSocket, text_of
from tests.live.installation import ScaledOut
from tests.live.raw import until
from tests.live.server import Server
from tests.upstream import expected_text

ASK = "[[upstream tokens=20]]"


@pytest.fixture
def stack(installation: ScaledOut, tmp_path: Path):
    """Not started: only its database, Redis and settings are used."""
    with installation.deployed(tmp_path) as stack:
        yield stack


def children(pid: int) -> set[int]:
    """The processes that a process has started."""
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_it_works_and_a_killed_child_is_replaced(stack, tmp_path: Path) -> None:
    """The port answers all the time; SIGTERM drains all of them, and the exit code is 0."""
    server = Server(stack.env, tmp_path, stack.keys, ("serve", "--workers", "2"))
    await asyncio.to_thread(server.start)
    try:
        parent = server.pid
        first = await until(lambda: len(found := children(parent)) == 2 and found)
        victim = min(first)
        os.kill(victim, signal.SIGKILL)
        await until(lambda: len(now := children(parent)) == 2 and victim not in now)
        async with await WebSocket.open(server.ws_url, stack.keys.acme) as socket:
            assert text_of(await socket.ask(ASK)) == expected_text("tokens=20")
            await until(lambda: server.log.count("serving on") == 3)
            last = children(parent)
            server.terminate()
            assert await socket.closed() == 1012
        assert await asyncio.to_thread(server.wait) == 0
        assert not any(map(alive, last))
    finally:
        server.kill()


async def test_a_killed_parent_takes_its_children_along(stack, tmp_path: Path) -> None:
    """Nobody would restart them, and they would hold the port."""
    server = Server(stack.env, tmp_path, stack.keys, ("serve", "--workers", "2"))
    await asyncio.to_thread(server.start)
    orphans = await until(lambda: len(found := children(server.pid)) == 2 and found)
    await until(lambda: server.log.count("serving on") == 2)
    await asyncio.to_thread(server.kill)
    await until(lambda: not any(map(alive, orphans)))
    assert server.log.count("the supervisor has died") == 2
