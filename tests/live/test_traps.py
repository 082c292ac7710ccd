"""What such servers usually get wrong: threads, descriptors and memory that stay behind."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from tests.live.clients import Rest, Sse, WebSocket
from tests.live.raw import RawSocket, handshake, masked, new_tag, text_frame, until
from tests.live.server import Server
from tests.upstream.process import UpstreamProcess

# It looks into the one process and at its memory.
pytestmark = [pytest.mark.embedded, pytest.mark.alone]

STREAMS = 200
CYCLES = 300
AT_ONCE = 25
THREADS = 5
DESCRIPTORS = 5
GROWTH_MB = 8
SETTINGS = {"CLAW_MAX_CONNECTIONS_PER_AGENT": "1000"}


def threads(server: Server) -> int:
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(status.partition("Threads:")[2].split()[0])


def descriptors(server: Server) -> int:
    return sum(1 for _ in Path(f"/proc/{server.pid}/fd").iterdir())


def database_descriptors(server: Server) -> int:
    links = (path.resolve() for path in Path(f"/proc/{server.pid}/fd").iterdir())
    return sum(link.name.startswith(server.database.name) for link in links)


async def test_it_works(server: Server, rest: Rest, upstream: UpstreamProcess) -> None:
    """200 streams at once cost no thread each and no database connection each."""
    tag = new_tag()
    await rest.post("/api/chat", {"message": "warm up [[upstream tokens=1]]"})
    before, connections = threads(server), database_descriptors(server)
    url = f"{server.url}/api/chat/stream"
    body = {"message": f"go [[upstream tokens=1 first=600000 tag={tag}]]"}
    async with contextlib.AsyncExitStack() as stack:
        opening = (Sse.open(url, server.keys.acme, body=body) for _ in range(STREAMS))
        for stream in await asyncio.gather(*opening):
            await stack.enter_async_context(stream)
        await until(lambda: upstream.stats(tag)["in_flight"] == STREAMS)
        assert threads(server) - before <= THREADS
        assert database_descriptors(server) <= connections


async def test_clients_that_come_and_go_leave_nothing(
    server: Server, rest: Rest, upstream: UpstreamProcess
) -> None:
    """300 times attach and cut, over WebSocket and SSE: descriptors, threads and memory stay."""
    tag = new_tag()
    body = {"message": f"go [[upstream tokens=100000 delay=20 tag={tag}]]"}
    url = f"{server.url}/api/chat/stream"
    async with await Sse.open(url, server.keys.acme, body=body) as stream:
        await stream.read(tokens=1)
        run = stream.events[0]["runId"]
        await cycles(server, run, AT_ONCE)  # what is made once, is made now
        before = threads(server), descriptors(server), server.rss_mb()
        await cycles(server, run, CYCLES)
        await until(lambda: descriptors(server) <= before[1] + DESCRIPTORS)
        assert threads(server) <= before[0] + THREADS
        assert server.rss_mb() - before[2] < GROWTH_MB
        await rest.post(f"/api/runs/{run}/cancel")


async def cycles(server: Server, run: str, count: int) -> None:
    for _ in range(count // AT_ONCE):
        each = [over_websocket, over_sse] * AT_ONCE
        await asyncio.gather(*(visit(server, run) for visit in each[:AT_ONCE]))


async def over_websocket(server: Server, run: str) -> None:
    ws = await WebSocket.open(server.ws_url, server.keys.acme)
    await ws.send(type="resume", runId=run, lastSeq=0)
    await ws.until("token")
    ws.cut()


async def over_sse(server: Server, run: str) -> None:
    url = f"{server.url}/api/runs/{run}/events"
    stream = await Sse.open(url, server.keys.acme, method="GET")
    await stream.read(tokens=1)
    stream.cut()


@pytest.mark.parametrize("last", [b"", masked(b"\xff\xfe"), b"\xff\xff\xff\xff"])
async def test_a_socket_that_ends_badly_releases_all(
    server: Server, upstream: UpstreamProcess, last: bytes
) -> None:
    """A reset, text that is no UTF-8, frames that are none: its run ends, as was asked."""
    tag = new_tag()
    ask = f"go [[upstream tokens=100000 delay=5 tag={tag}]]"
    async with await RawSocket.open(server) as raw:
        await raw.send(handshake(server))
        await raw.until(b"auth_ok")
        await raw.send(text_frame(type="message", content=ask, onDisconnect="cancel"))
        await raw.until(b'"token"')
        if last:
            await raw.send(last)
            await raw.read_all()
        raw.cut()
        await until(lambda: upstream.stats(tag)["aborted"] == 1)
