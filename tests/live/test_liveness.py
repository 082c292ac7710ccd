"""Who is still there: pings, keepalives, dead peers, idle sockets and time to authenticate."""

import asyncio
import json
import time

import pytest

from tests.live.clients import Sse, WebSocket
from tests.live.raw import RawSocket, handshake, text_frame, until
from tests.live.server import Server

PING, IDLE, KEEPALIVE, AUTH, STALL = 0.4, 1.2, 0.3, 1.0, 2.0
RUN = IDLE * 2.5  # how long a run takes, for which its socket is not idle
SETTINGS = {
    "CLAW_PING_INTERVAL": str(PING),
    "CLAW_IDLE_TIMEOUT": str(IDLE),
    "CLAW_KEEPALIVE_INTERVAL": str(KEEPALIVE),
    "CLAW_AUTH_TIMEOUT": str(AUTH),
    "CLAW_SLOW_CONSUMER_TIMEOUT": str(STALL),
}
SLACK = 5.0  # seconds after its time in which an idle close must have come
EARLY = 0.05  # clocks of two processes


async def pings(socket: WebSocket, count: int) -> None:
    """Returns when so many JSON pings have come."""
    while count:
        count -= json.loads(await socket.connection.recv())["type"] == "ping"


async def test_it_works(server: Server) -> None:
    """P19: a JSON ping every interval, for clients that cannot see the transport's."""
    begun = time.monotonic()
    async with await WebSocket.open(server.ws_url, server.keys.acme) as ws:
        await ws.send(type="message", content="go [[upstream tokens=5000 delay=10]]")
        await pings(ws, 4)
        assert PING * 4 - EARLY <= time.monotonic() - begun < PING * 4 + SLACK


async def test_the_transport_is_pinged_too(server: Server) -> None:
    """P19: the ping of RFC 6455, which every client answers by itself."""
    async with await RawSocket.open(server) as raw:
        await raw.send(handshake(server))
        begun = time.monotonic()
        await raw.until(b"\x89\x04")  # opcode 9, four bytes
        assert time.monotonic() - begun < PING + SLACK


async def test_a_silent_peer_is_dropped_within_two_intervals(server: Server) -> None:
    """P19: it has completed the handshake and then answers no ping."""
    async with await RawSocket.open(server) as raw:
        await raw.send(handshake(server))
        begun = time.monotonic()
        end = await raw.read_all()
        assert time.monotonic() - begun < PING * 2 + SLACK
        assert b"keepalive ping timeout" in end


@pytest.mark.parametrize("tokens", [10, 500])
@pytest.mark.embedded  # nginx reads for its clients: see scaled/test_slow_readers
async def test_a_peer_that_leaves_data_unread_is_dropped_too(server: Server, tokens: int) -> None:
    """P19, P15: what waits to be sent keeps no socket open, be it little or much."""
    ask = f"go [[upstream tokens={tokens} size=10000]]"
    async with await RawSocket.open(server, receive_buffer=4096) as raw:
        await raw.send(handshake(server))
        await raw.until(b"auth_ok")
        await raw.send(text_frame(type="message", content=ask))
        assert raw.held_by(server)
        begun = time.monotonic()
        await until(lambda: not raw.held_by(server))
        assert time.monotonic() - begun < PING * 2 + STALL + SLACK


async def test_a_client_that_answers_only_the_transport_stays(ws: WebSocket) -> None:
    """P19: the JSON ping need not be answered."""
    await ws.send(type="message", content="go [[upstream tokens=300 delay=10]]")
    await ws.until("done")


async def test_a_silent_stream_gets_keepalives(server: Server) -> None:
    """P19: also before the first token."""
    body = {"message": "go [[upstream tokens=2 first=1500]]"}
    url = f"{server.url}/api/chat/stream"
    async with await Sse.open(url, server.keys.acme, body=body) as stream:
        await stream.read(tokens=1)
        assert stream.comments.count(": keepalive") >= 3


async def test_an_idle_socket_is_closed(server: Server) -> None:
    """`idle_timeout` and 4008; the JSON ping and pong of a client are no activity."""
    begun = time.monotonic()
    async with await WebSocket.open(server.ws_url, server.keys.acme) as ws:
        chatter = asyncio.create_task(chat_about_nothing(ws))
        assert await ws.closed() == 4008
        assert IDLE - EARLY <= time.monotonic() - begun < IDLE + SLACK
        assert ws.events[-1]["code"] == "idle_timeout"
        await asyncio.gather(chatter, return_exceptions=True)


async def chat_about_nothing(ws: WebSocket) -> None:
    while True:
        await ws.send(type="ping")
        await ws.send(type="pong")
        await asyncio.sleep(IDLE / 5)


async def test_a_run_is_no_idleness(server: Server) -> None:
    """Never during a run, and only the whole idle time after its end."""
    async with await WebSocket.open(server.ws_url, server.keys.acme) as ws:
        begun = time.monotonic()
        await ws.send(type="message", content=f"go [[upstream tokens=3 first={RUN * 1000}]]")
        await ws.until("done")
        assert await ws.closed() == 4008
        assert RUN + IDLE - EARLY <= time.monotonic() - begun < RUN + IDLE + SLACK


async def test_time_to_authenticate_is_limited(server: Server) -> None:
    """`auth_required` and 4001."""
    begun = time.monotonic()
    async with await WebSocket.open(server.ws_url) as ws:
        assert await ws.closed() == 4001
        assert AUTH - EARLY <= time.monotonic() - begun < AUTH + SLACK
        assert ws.events[-1]["code"] == "auth_required"
