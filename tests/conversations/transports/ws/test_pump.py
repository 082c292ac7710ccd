"""`conversations.transports.ws.pump`: a run's events on their way to a socket."""

import asyncio
import json
from typing import Any

import pytest

from conversations.transports.ws.pump import Pump
from tests.conversations.transports.doors import Doors, encoding, run_of, token
from tests.engine.log.contract import DONE


class Socket:
    """Takes frames at once, or only when they are sent one by one (`full`)."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.full = self.gone = False
        self.ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def write(self, pieces: list[bytes]) -> bool:
        if not self.full:
            self.frames += map(json.loads, pieces)
        return not self.full

    async def send(self, data: bytes) -> None:
        if self.gone:
            raise OSError("the client is gone")
        self.frames.append(json.loads(data))

    def follow(self, doors: Doors, after: int = 0, *, at_once: bool = True) -> Pump:
        run = run_of()
        pump = Pump(
            doors.log,
            run,
            after,
            encoding("websocket").encoder(run.pk),
            send=self.send,
            write=self.write if at_once else None,
            ended=lambda pump, done: self.ended.set_result(done),
        )
        pump.start()
        return pump

    @property
    def texts(self) -> list[str]:
        return [frame["content"] for frame in self.frames if frame["type"] == "token"]


async def say(doors: Doors, count: int, *, end: bool = True) -> Any:
    writer = doors.begin(run_of())
    for index in range(count):
        writer.append(token(index))
    if end:
        writer.append(DONE)
    await writer.flush()
    return writer


@pytest.fixture
async def doors() -> Doors:
    return Doors()


@pytest.mark.parametrize("at_once", [True, False])
async def test_it_works(doors: Doors, at_once: bool) -> None:
    await say(doors, 3)
    socket = Socket()
    socket.follow(doors, at_once=at_once)
    assert await asyncio.wait_for(socket.ended, 5)
    assert socket.texts == ["t0", "t1", "t2"]
    assert socket.frames[-1]["type"] == "done"


async def test_only_what_follows_the_position_is_sent(doors: Doors) -> None:
    await say(doors, 3)
    socket = Socket()
    socket.follow(doors, 2)
    assert await asyncio.wait_for(socket.ended, 5)
    assert socket.texts == ["t2"]


async def test_what_a_full_socket_refuses_comes_once_and_in_order(doors: Doors) -> None:
    writer = await say(doors, 1, end=False)
    socket = Socket()
    socket.full = True
    socket.follow(doors)
    for index in (1, 2):
        writer.append(token(index))
        await writer.flush()
    socket.full = False
    writer.append(DONE)
    await writer.flush()
    assert await asyncio.wait_for(socket.ended, 5)
    assert socket.texts == ["t0", "t1", "t2"]


async def test_a_log_that_breaks_off_is_to_be_followed_later(doors: Doors) -> None:
    await say(doors, 1, end=False)
    socket = Socket()
    socket.follow(doors)
    await doors.log.aclose()
    assert await asyncio.wait_for(socket.ended, 5) is False
    assert socket.texts == ["t0"]


async def test_a_client_that_has_gone_ends_it_silently(doors: Doors) -> None:
    await say(doors, 1)
    socket = Socket()
    socket.gone = True
    pump = socket.follow(doors, at_once=False)
    await asyncio.wait_for(asyncio.shield(pump._task), 5)
    assert not socket.ended.done()


async def test_a_pump_that_is_stopped_says_nothing(doors: Doors) -> None:
    writer = await say(doors, 1, end=False)
    socket = Socket()
    pump = socket.follow(doors)
    await pump.stop()
    writer.append(DONE)
    await writer.flush()
    assert not socket.ended.done()
