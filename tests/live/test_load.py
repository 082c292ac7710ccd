"""Many at once: nothing is lost or mixed, and who does not read costs little and hurts nobody."""

import asyncio
import itertools
import statistics
import time
from collections.abc import AsyncIterator, Callable

import pytest

from tests.live.clients import Event, Rest, Sse, WebSocket, text_of
from tests.live.raw import RawSocket, handshake, new_tag, request, text_frame, until
from tests.live.server import Server
from tests.upstream import expected_text
from tests.upstream.process import UpstreamProcess

pytestmark = pytest.mark.alone
STREAMS = 50  # of each kind
STALLED = 20
BIG = "tokens=128 size=30000"  # 3.8 MB each: 76 MB for the 20 of them
STALLED_MB = 2
ROOM_MB = 40
PATIENCE = 5.0  # seconds; the promise is 1 on a quiet machine, and this one also plays all clients


async def over_websocket(server: Server, keys: str) -> list[tuple[float, Event]]:
    async with await WebSocket.open(server.ws_url, server.keys.acme) as ws:
        await ws.send(type="message", content=f"go [[upstream {keys}]]")
        seen: list[tuple[float, Event]] = []
        while not seen or seen[-1][1]["type"] != "done":
            seen.append((time.monotonic(), await ws.next()))
        return seen


async def over_sse(server: Server, keys: str) -> list[tuple[float, Event]]:
    body = {"message": f"go [[upstream {keys}]]"}
    async with await Sse.open(
        f"{server.url}/api/chat/stream", server.keys.acme, body=body
    ) as stream:
        return [(time.monotonic(), event) async for event in stream]


def gaps(seen: list[tuple[float, Event]]) -> list[float]:
    """Milliseconds between neighbouring tokens."""
    times = [moment for moment, event in seen if event["type"] == "token"]
    return [(after - before) * 1000 for before, after in itertools.pairwise(times)]


async def test_it_works(server: Server, record_property: Callable[[str, object], None]) -> None:
    """P18: 100 streams of 200 tokens at 100 a second: each gets its own, whole and in order."""
    kinds = [over_websocket, over_sse] * STREAMS
    asks = [f"tokens=200 delay=10 content=tagged tag={new_tag()}" for _ in kinds]
    results = await asyncio.gather(
        *(kind(server, keys) for kind, keys in zip(kinds, asks, strict=True))
    )
    for keys, seen in zip(asks, results, strict=True):
        events = [event for _, event in seen]
        assert text_of(events) == expected_text(keys)
        assert events[-2]["content"] == expected_text(keys)
    spread = statistics.quantiles([gap for seen in results for gap in gaps(seen)], n=100)
    record_property("token gap ms p50, p95, p99", [spread[49], spread[94], spread[98]])


@pytest.fixture
async def stalled(server: Server) -> AsyncIterator[list[RawSocket]]:
    """Clients that take the handshake and then never read."""
    readers = [await RawSocket.open(server, receive_buffer=4096) for _ in range(STALLED)]
    yield readers
    for reader in readers:
        reader.sock.close()


async def stall(
    server: Server, readers: list[RawSocket], upstream: UpstreamProcess, tag: str
) -> None:
    """Each starts a big answer, over WebSocket, as an event stream or over REST in turn; returns
    when all were given."""
    ask = f"go [[upstream {BIG} tag={tag}]]"
    for reader in readers[::3]:
        await reader.send(handshake(server))
        await reader.until(b"auth_ok")
        await reader.send(text_frame(type="message", content=ask))
    body = f'{{"message": "{ask}"}}'.encode()
    for reader in readers[1::3]:
        await reader.send(request(server, "POST", "/api/chat/stream", body))
    for reader in readers[2::3]:
        await reader.send(request(server, "POST", "/api/chat", body))
    whole = {"completed": len(readers)}
    await until(lambda: upstream.stats(tag)["states"] == whole)


async def test_readers_that_stall_cost_little(
    server: Server,
    ws: WebSocket,
    stalled: list[RawSocket],
    upstream: UpstreamProcess,
    record_property: Callable[[str, object], None],
) -> None:
    """P15: 20 of them with 76 MB to get, which stay connected; everybody else is answered."""
    await ws.ask("warm up [[upstream tokens=3]]")
    before = server.rss_mb()
    tag = new_tag()
    stalling = asyncio.create_task(stall(server, stalled, upstream, tag))
    slowest = 0.0
    while not stalling.done():
        begun = time.monotonic()
        async with await WebSocket.open(server.ws_url, server.keys.acme) as other:
            await other.ask("quick [[upstream tokens=3]]")
        slowest = max(slowest, time.monotonic() - begun)
    await stalling
    peak = server.rss_mb() - before  # some answers are still being stored
    record_property("RSS MB before, grown; slowest other s", [before, peak, slowest])
    await until(lambda: server.rss_mb() - before <= STALLED_MB * len(stalled) + ROOM_MB)
    assert all(reader.held_by(server) for reader in stalled)
    assert slowest < PATIENCE


async def test_readers_that_stall_at_the_end_cost_little(
    server: Server, stalled: list[RawSocket], upstream: UpstreamProcess
) -> None:
    """P15: the last event has the whole answer, and is one frame."""
    tag, before = new_tag(), server.rss_mb()
    ask = f"go [[upstream tokens=1 size=3800000 tag={tag}]]"
    for place, reader in enumerate(stalled):
        if place % 2:
            body = f'{{"message": "{ask}"}}'.encode()
            await reader.send(request(server, "POST", "/api/chat/stream", body))
        else:
            await reader.send(handshake(server))
            await reader.until(b"auth_ok")
            await reader.send(text_frame(type="message", content=ask))
    await until(lambda: upstream.stats(tag)["states"] == {"completed": STALLED})
    await until(lambda: server.rss_mb() - before <= STALLED_MB * STALLED + ROOM_MB)
    assert all(reader.held_by(server) for reader in stalled)


async def test_a_stalled_reader_is_cut_and_can_resume(
    make_server: Callable[..., Server], upstream: UpstreamProcess
) -> None:
    """P15: it is aborted in time, and the answer was finished without it."""
    server = make_server(CLAW_SLOW_CONSUMER_TIMEOUT="1")
    tag = new_tag()
    ask = f"go [[upstream {BIG} tag={tag}]]"
    body = f'{{"message": "{ask}"}}'.encode()
    async with (
        await RawSocket.open(server, receive_buffer=4096) as socket,
        await RawSocket.open(server, receive_buffer=4096) as stream,
        Rest(server.url, server.keys.acme) as rest,
    ):
        await socket.send(handshake(server))
        await socket.until(b"auth_ok")
        await socket.send(text_frame(type="message", content=ask))
        await stream.send(request(server, "POST", "/api/chat/stream", body))
        await until(lambda: upstream.stats(tag)["states"] == {"completed": 2})
        for raw in (socket, stream):
            await until(lambda raw=raw: not raw.held_by(server))
        for found in (await rest.get("/api/conversations")).json()["conversations"]:
            answer = (await rest.messages(found["id"]))[-1]
            assert answer["content"] == expected_text(BIG)
            url = f"{server.url}/api/runs/{answer['runId']}/events?lastSeq=3"
            async with await Sse.open(url, server.keys.acme, method="GET") as resumed:
                events = await resumed.read()
            assert events[0]["seq"] > 3
            assert events[-1]["reason"] == "complete"
