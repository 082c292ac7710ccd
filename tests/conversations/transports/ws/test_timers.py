"""`conversations.transports.ws.timers`: what is due on a socket, and how it ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from conversations.transports.ws import frames, timers
from conversations.transports.ws.timers import ConnectionTimers
from engine.errors import ClawError

SOON, NEVER = 0.01, 600.0  # seconds


class Socket:
    """Takes what the timers send, and knows how they closed it."""

    def __init__(self) -> None:
        self.busy = False
        self.sent: list[str] = []
        self.pinged = asyncio.Event()
        self.timers = ConnectionTimers(send=self._send, close=self._close, busy=lambda: self.busy)

    async def _send(self, data: bytes) -> None:
        self.sent.append(json.loads(data)["type"])
        self.pinged.set()

    async def _close(self, last: list[bytes], code: int, reason: str) -> None:
        self.last, self.code, self.reason = [json.loads(each) for each in last], code, reason

    async def ends(self) -> tuple[int, str]:
        """Run the timers to the end; the code and the reason."""
        async with asyncio.timeout(5):
            await self.timers.run()
        return self.code, self.reason


@pytest.fixture(autouse=True)
def patient(settings: Any) -> None:
    """Nothing is due, unless a test says so."""
    settings.CLAW_AUTH_TIMEOUT = settings.CLAW_PING_INTERVAL = settings.CLAW_IDLE_TIMEOUT = NEVER


@pytest.fixture
async def running() -> AsyncIterator[list[asyncio.Task[None]]]:
    """Tasks that are cancelled when the test ends."""
    tasks: list[asyncio.Task[None]] = []
    yield tasks
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_it_works(settings: Any) -> None:
    """Who does not authenticate in time is told so, and closed."""
    settings.CLAW_AUTH_TIMEOUT = SOON
    socket = Socket()
    assert await socket.ends() == (4001, "auth_required")
    assert [frame["code"] for frame in socket.last] == ["auth_required"]
    assert not socket.timers.expired


async def test_p19_it_pings_and_goes_on(settings: Any, running: Any) -> None:
    settings.CLAW_PING_INTERVAL = SOON
    socket = Socket()
    running.append(asyncio.create_task(socket.timers.run()))
    for _ in range(3):
        socket.pinged.clear()
        await asyncio.wait_for(socket.pinged.wait(), 5)
    assert set(socket.sent) == {"ping"}
    assert not running[0].done()


async def test_an_idle_socket_is_closed_once_it_is_known(settings: Any) -> None:
    settings.CLAW_IDLE_TIMEOUT = SOON
    socket = Socket()
    socket.timers.authenticated(until=None)
    assert await socket.ends() == (4008, "idle_timeout")


async def test_a_socket_that_follows_a_run_is_not_idle(settings: Any, running: Any) -> None:
    settings.CLAW_IDLE_TIMEOUT = settings.CLAW_PING_INTERVAL = SOON
    socket = Socket()
    socket.busy = True
    socket.timers.authenticated(until=None)
    running.append(asyncio.create_task(socket.timers.run()))
    for _ in range(4):  # by then the idle time is over
        socket.pinged.clear()
        await asyncio.wait_for(socket.pinged.wait(), 5)
    assert not running[0].done()


async def test_a_frame_restarts_the_idle_time(settings: Any) -> None:
    settings.CLAW_IDLE_TIMEOUT = 5 * SOON
    socket, loop = Socket(), asyncio.get_running_loop()
    socket.timers.authenticated(until=None)
    closing = asyncio.create_task(socket.ends())
    await asyncio.sleep(3 * SOON)
    socket.timers.touch()
    touched = loop.time()
    await closing
    assert loop.time() - touched >= 5 * SOON


async def test_a_token_that_ends_ends_the_socket(settings: Any) -> None:
    socket = Socket()
    socket.timers.authenticated(until=timezone.now() + timedelta(seconds=SOON))
    assert await socket.ends() == (4001, "token_expired")
    assert socket.timers.expired


async def test_a_renewed_token_moves_the_end(settings: Any) -> None:
    settings.CLAW_IDLE_TIMEOUT = SOON
    socket = Socket()
    socket.timers.authenticated(until=timezone.now())
    socket.timers.authenticated(until=timezone.now() + timedelta(hours=1))
    assert await socket.ends() == (4008, "idle_timeout")


async def test_the_first_end_counts() -> None:
    socket = Socket()
    socket.timers.end([frames.reconnect()], 1012, "Service Restart")
    socket.timers.fail(ClawError("key_revoked", "-"))
    assert await socket.ends() == (1012, "Service Restart")
    assert [frame["type"] for frame in socket.last] == ["reconnect"]


@pytest.mark.parametrize(
    ("code", "closed"),
    [
        ("invalid_token", (4001, "Invalid token")),
        ("forbidden", (4003, "forbidden")),
        ("agent_not_found", (4004, "agent_not_found")),
        ("rate_limited", (4001, "rate_limited")),
        ("too_many_connections", (4029, "too_many_connections")),
    ],
)
async def test_an_error_closes_with_its_code(code: str, closed: tuple[int, str]) -> None:
    socket = Socket()
    socket.timers.fail(ClawError(code, "-"), reply_to=7)
    assert await socket.ends() == closed
    assert (socket.last[0]["code"], socket.last[0]["replyTo"]) == (code, 7)


async def test_a_peer_that_takes_no_ping_does_not_hold_up_the_end(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "PING_SECONDS", SOON)
    settings.CLAW_PING_INTERVAL = SOON
    socket = Socket()

    async def stuck(data: bytes) -> None:
        socket.timers.end([], 1012, "Service Restart")
        await asyncio.Event().wait()

    socket.timers._send = stuck
    assert await socket.ends() == (1012, "Service Restart")
