"""Who does not read costs the serving process little, also where the log is in Redis."""

import asyncio
import time
from collections.abc import Callable

from tests.live.clients import WebSocket
from tests.live.raw import RawSocket, new_tag, until
from tests.live.scaled.stack import Stack
from tests.live.test_load import PATIENCE, ROOM_MB, STALLED, STALLED_MB, stall
from tests.upstream.process import UpstreamProcess


async def test_readers_that_stall_cost_little(
    make_server: Callable[..., Stack],
    upstream: UpstreamProcess,
    record_property: Callable[[str, object], None],
) -> None:
    """P15: 20 at one process, with 76 MB to get; everybody else is answered by it."""
    stack = await asyncio.to_thread(make_server)
    web = stack.webs[0]
    async with await WebSocket.open(web.ws_url, web.keys.acme) as socket:
        await socket.ask("warm up [[upstream tokens=3]]")
    readers = [await RawSocket.open(web, receive_buffer=4096) for _ in range(STALLED)]
    before, slowest = web.rss_mb(), 0.0
    stalling = asyncio.create_task(stall(web, readers, upstream, new_tag()))
    while not stalling.done():
        begun = time.monotonic()
        async with await WebSocket.open(web.ws_url, web.keys.acme) as other:
            await other.ask("quick [[upstream tokens=3]]")
        slowest = max(slowest, time.monotonic() - begun)
    await stalling
    record_property("RSS MB before, grown", [before, web.rss_mb() - before])
    record_property("slowest other s", slowest)
    record_property("workers' RSS MB", [worker.rss_mb() for worker in stack.workers])
    await until(lambda: web.rss_mb() - before <= STALLED_MB * len(readers) + ROOM_MB)
    assert all(reader.held_by(web) for reader in readers)
    assert slowest < PATIENCE
    for reader in readers:
        reader.sock.close()
