"""A stop reaches a run that another process carries out, also when the signal for it is lost."""

import asyncio
import time
from collections.abc import Callable

import pytest

from tests.live.clients import Rest, WebSocket
from tests.live.raw import aborted, call_of, new_tag
from tests.live.scaled.stack import Stack
from tests.live.test_cancel import BAR, PHASES, ask
from tests.upstream.process import UpstreamProcess

BY_ROW = 2.5  # seconds: the row is looked at every second


@pytest.mark.parametrize("phase", PHASES)
async def test_it_works(server: Stack, upstream: UpstreamProcess, phase: str) -> None:
    """P10: asked at one process, stopped at the other, carried out by a third."""
    tag = new_tag()
    asked, other = server.webs
    async with (
        await WebSocket.open(asked.ws_url, server.keys.acme) as socket,
        Rest(other.url, server.keys.acme) as rest,
    ):
        run = await begin(socket, upstream, phase, tag)
        before = time.time()
        assert (await rest.post(f"/api/runs/{run}/cancel")).status_code == 202
        assert (await socket.until("done"))["reason"] == "cancelled"
        assert await aborted(upstream, tag) - before < BAR
        stored = (await rest.get(f"/api/runs/{run}")).json()
        assert (stored["status"], stored["usage"]["source"]) == ("cancelled", "estimated")


async def begin(socket: WebSocket, upstream: UpstreamProcess, phase: str, tag: str) -> str:
    """Start a run; its id once the model server has been asked."""
    await socket.send(type="message", content=ask(PHASES[phase], tag))
    run = (await socket.until("run_started"))["runId"]
    await call_of(upstream, tag)
    return str(run)


async def test_a_lost_signal_is_found_in_the_row(
    make_server: Callable[..., Stack], upstream: UpstreamProcess
) -> None:
    """P10: Redis drops every signal, and still the run ends within a second and a half."""
    stack = await asyncio.to_thread(make_server)
    tag = new_tag()
    async with (
        await WebSocket.open(stack.ws_url, stack.keys.acme) as socket,
        Rest(stack.url, stack.keys.acme) as rest,
    ):
        run = await begin(socket, upstream, "in the middle", tag)
        # From now on Redis refuses the channels of signals; the log's are not theirs.
        assert stack.redis.ask("ACL SETUSER default resetchannels &claw:*") == b"OK"
        before = time.time()
        assert (await rest.post(f"/api/runs/{run}/cancel")).status_code == 202
        assert (await socket.until("done"))["reason"] == "cancelled"
        assert await aborted(upstream, tag) - before < BY_ROW
