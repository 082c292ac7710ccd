"""`conversations.transports.ws.followed`: the runs that one socket follows."""

import asyncio
import json

import pytest

from conversations.models import Run
from conversations.transports.ws.followed import FollowedRuns
from tests.conversations.transports.doors import Doors, encoding, run_of, token
from tests.engine.log.contract import DONE


class Socket:
    """Follows runs, and notes what it is sent and what ends."""

    def __init__(self, doors: Doors) -> None:
        self.texts: list[str] = []
        self.ended: list[tuple[str, bool]] = []
        self._more = asyncio.Event()
        self.followed = FollowedRuns(doors.log, send=self._send, write=None, ended=self._ended)

    async def _send(self, data: bytes) -> None:
        frame = json.loads(data)
        self.texts += [frame["content"]] if frame["type"] == "token" else []
        self._more.set()

    def _ended(self, run: Run, done: bool) -> None:
        self.ended.append((run.pk, done))
        self._more.set()

    async def follow(self, run_id: str, after: int = 0) -> None:
        encoder = encoding("websocket").encoder(run_id)
        await self.followed.follow(run_of(run_id), after, encoder)

    async def until(self, count: int) -> None:
        """Wait for so many texts."""
        async with asyncio.timeout(5):
            while len(self.texts) < count:
                self._more.clear()
                await self._more.wait()

    async def end(self) -> None:
        """Wait until nothing is followed."""
        async with asyncio.timeout(5):
            while len(self.followed):
                self._more.clear()
                await self._more.wait()


@pytest.fixture
async def doors() -> Doors:
    return Doors()


async def test_it_works(doors: Doors) -> None:
    """A socket is busy for as long as one of its runs goes on, whoever has started it."""
    socket, writers = Socket(doors), [doors.begin(run_of(name)) for name in ("run_1", "run_2")]
    for writer in writers:
        writer.append(token(0))
        await writer.flush()
    await socket.follow("run_1")
    await socket.follow("run_2")
    await socket.until(2)
    assert len(socket.followed) == 2 and "run_1" in socket.followed
    for writer in writers:
        writer.append(DONE)
        await writer.flush()
    await socket.end()
    assert sorted(socket.ended) == [("run_1", True), ("run_2", True)]


async def test_a_second_follow_moves_the_position(doors: Doors) -> None:
    socket, writer = Socket(doors), doors.begin(run_of())
    for index in range(3):
        writer.append(token(index))
    await writer.flush()
    await socket.follow("run_1")
    await socket.until(3)
    await socket.follow("run_1", 2)
    await socket.until(4)
    assert socket.texts == ["t0", "t1", "t2", "t2"]
    assert (len(socket.followed), socket.ended) == (1, [])
    await socket.followed.stop()
    assert (len(socket.followed), socket.ended) == (0, [])
