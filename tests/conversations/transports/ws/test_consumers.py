"""`conversations.transports.ws.consumers`: a socket before anybody is known, without a database."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Self

import pytest

from conversations.transports.ws.consumers import ChatConsumer
from tests.conversations.transports.doors import Doors

PATIENCE = 5


class Socket:
    """One connection, as a server hands it to the consumer."""

    def __init__(self, doors: Doors, query: str = "", **headers: str) -> None:
        self.doors = doors
        self._scope = {
            "type": "websocket",
            "path": "/api/ws",
            "query_string": query.encode(),
            "headers": [(name.encode(), text.encode()) for name, text in headers.items()],
            "client": ("192.0.2.1", 4711),
            "url_route": {"kwargs": {"slug": None}},
            "state": {"services": doors},
        }
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._incoming.put_nowait({"type": "websocket.connect"})
        self.sent: list[dict[str, Any]] = []
        self._more = asyncio.Event()

    async def __aenter__(self) -> Self:
        consumer = ChatConsumer.as_asgi()
        self.task = asyncio.create_task(consumer(self._scope, self._incoming.get, self._send))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(self.task, PATIENCE)

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        self._more.set()

    def say(self, text: str) -> None:
        self._incoming.put_nowait({"type": "websocket.receive", "text": text})

    def say_bytes(self, data: bytes) -> None:
        self._incoming.put_nowait({"type": "websocket.receive", "bytes": data})

    @property
    def frames(self) -> list[dict[str, Any]]:
        return [json.loads(each["text"]) for each in self.sent if "text" in each]

    async def until(self, found: Callable[[], Any]) -> Any:
        async with asyncio.timeout(PATIENCE):
            while not (result := found()):
                self._more.clear()
                await self._more.wait()
        return result

    async def closed(self) -> tuple[int, str, str]:
        """The code of the close, its reason, and the code of the last error."""
        last = await self.until(
            lambda: next((each for each in self.sent if each["type"] == "websocket.close"), None)
        )
        return last["code"], last["reason"], self.frames[-1]["code"]


@pytest.fixture
async def doors() -> Doors:
    return Doors()


@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"ping","id":7}',
        '{"type":"message","content":"x","id":7}',
        '{"type":"resume","runId":"run_1","lastSeq":0,"id":7}',
        '{"type":"frobnicate","id":7}',
        '{"type":"message","id":7}',
    ],
)
async def test_it_works(doors: Doors, frame: str) -> None:
    """Nothing comes before `auth`, however wrong it is."""
    async with Socket(doors) as socket:
        socket.say(frame)
        assert await socket.closed() == (4001, "auth_required", "auth_required")
        assert socket.frames[-1]["replyTo"] == 7


@pytest.mark.parametrize("frame", ["hello", "[1]", "null", "{}", '{"type":"auth"}'])
async def test_what_is_no_frame_comes_too_early_too(doors: Doors, frame: str) -> None:
    async with Socket(doors) as socket:
        socket.say(frame)
        code, _, error = await socket.closed()
        assert (code, error) == (4001, "auth_required")


async def test_a_binary_frame_comes_too_early_too(doors: Doors) -> None:
    async with Socket(doors) as socket:
        socket.say_bytes(b'{"type":"auth"}')
        assert (await socket.closed())[0] == 4001


@pytest.mark.parametrize("query", ["token=claw_live_x", "token=a.b.c&token=a.b.c"])
async def test_a_key_in_the_address_is_refused(doors: Doors, query: str) -> None:
    async with Socket(doors, query) as socket:
        assert await socket.closed() == (4001, "Invalid token", "invalid_token")


async def test_a_wrong_key_is_refused_and_counted(doors: Doors, settings: Any) -> None:
    settings.CLAW_FAILED_AUTH_PER_MINUTE = 1
    for error in ("invalid_token", "rate_limited"):
        async with Socket(doors, authorization="Bearer nonsense") as socket:
            code, _, told = await socket.closed()
            assert (code, told) == (4001, error)


async def test_strangers_of_an_address_have_so_many_places(doors: Doors, settings: Any) -> None:
    settings.CLAW_MAX_UNAUTHENTICATED_PER_ADDRESS = 1
    async with Socket(doors) as first:
        await first.until(lambda: first.sent)
        async with Socket(doors) as second:
            assert (await second.closed())[0] == 4029
    async with Socket(doors) as third:  # the place is given back
        third.say('{"type":"ping"}')
        assert (await third.closed())[0] == 4001


async def test_a_shutdown_is_announced(doors: Doors) -> None:
    async with Socket(doors) as socket:
        await socket.until(lambda: socket.sent)
        leaving = asyncio.create_task(doors.connections.shut_down(PATIENCE))
        last = await socket.until(lambda: socket.sent[-1]["type"] == "websocket.close")
        assert last and socket.frames[-1]["type"] == "reconnect"
        assert socket.sent[-1]["code"] == 1012
    await leaving
    assert len(doors.connections) == 0
