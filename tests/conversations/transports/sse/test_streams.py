"""`conversations.transports.sse.streams`: what one response sends, and how it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.principal import Kind
from conversations.transports.sse.streams import RunStream, StreamResponse
from engine.errors import ClawError
from tests.agents.callers import having
from tests.conversations.transports.doors import Doors, caller, encoding, run_of, token
from tests.engine.log.contract import DONE


@pytest.fixture
async def doors() -> Doors:
    return Doors()


class Client:
    """Reads one response."""

    def __init__(self, stream: RunStream) -> None:
        self.stream, self.text = stream, ""
        self._more = asyncio.Event()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async with aclosing(self.stream.chunks()) as chunks:
            async for chunk in chunks:
                self.text += chunk.decode()
                self._more.set()

    async def saw(self, text: str, times: int = 1) -> None:
        """Wait until it has read this."""
        async with asyncio.timeout(5):
            while self.text.count(text) < times:
                self._more.clear()
                await self._more.wait()

    async def ended(self) -> str:
        """Wait until the response is over; all of it."""
        await asyncio.wait_for(self.task, 5)
        return self.text

    async def leave(self) -> None:
        """Go away in the middle."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
async def writer(doors: Doors) -> AsyncIterator[Any]:
    """Writes the run's events: one is there."""
    writer = doors.begin(run_of())
    writer.append(token(0))
    await writer.flush()
    yield writer
    await doors.log.aclose()


def stream(doors: Doors, after: int = 0, **options: Any) -> RunStream:
    options = {"caller": caller()} | options
    return RunStream(doors, run_of(), after, encoding("sse"), **options)


async def test_it_works(doors: Doors, writer: Any) -> None:
    client = Client(stream(doors))
    await client.saw("t0")
    assert len(doors.connections) == 1
    writer.append(token(1))
    writer.append(DONE)
    await writer.flush()
    text = await client.ended()
    assert text.count("id: run_1:") >= 3
    assert text.index("t0") < text.index("t1") < text.index('"type":"done"')
    assert len(doors.connections) == 0


async def test_it_goes_on_after_a_position(doors: Doors, writer: Any) -> None:
    writer.append(token(1))
    writer.append(DONE)
    await writer.flush()
    text = await Client(stream(doors, 1)).ended()
    assert "t0" not in text and "t1" in text


async def test_p19_a_silent_stream_gets_keepalives(
    doors: Doors, writer: Any, settings: Any
) -> None:
    settings.CLAW_KEEPALIVE_INTERVAL = 0.01
    client = Client(stream(doors))
    await client.saw(": keepalive", times=3)
    writer.append(DONE)
    await writer.flush()
    assert '"type":"done"' in await client.ended()


async def test_at_a_shutdown_it_ends_without_done(doors: Doors, writer: Any) -> None:
    client = Client(stream(doors, cancels=True))
    await client.saw("t0")
    await doors.connections.shut_down(5)
    assert '"type":"done"' not in await client.ended()
    assert doors.dispatcher.cancelled == []  # the client comes back for it


async def test_a_stream_that_is_cut_ends_without_done(doors: Doors, writer: Any) -> None:
    client = Client(stream(doors))
    await client.saw("t0")
    client.stream.cut(ClawError("key_revoked", "-"))
    assert '"type":"done"' not in await client.ended()


@pytest.mark.parametrize(("cancels", "told"), [(True, ["run_1"]), (False, [])])
async def test_a_client_that_leaves_cancels_if_it_was_asked_to(
    doors: Doors, writer: Any, cancels: bool, told: list[str]
) -> None:
    client = Client(stream(doors, cancels=cancels))
    await client.saw("t0")
    await client.leave()
    assert doors.dispatcher.cancelled == told


async def test_a_run_that_has_ended_is_not_cancelled(doors: Doors, writer: Any) -> None:
    writer.append(DONE)
    await writer.flush()
    await Client(stream(doors, cancels=True)).ended()
    assert doors.dispatcher.cancelled == []


async def test_a_visitor_s_stream_ends_with_the_token(doors: Doors, writer: Any) -> None:
    soon = timezone.now() + timedelta(milliseconds=20)
    visitor = having(caller(), kind=Kind.VISITOR, expires_at=soon)
    client = Client(stream(doors, caller=visitor))
    await client.saw("t0")
    assert '"type":"done"' not in await client.ended()


async def test_a_stream_that_would_show_less_ends(doors: Doors, writer: Any) -> None:
    before = caller()
    after = having(before, scopes=frozenset({"usage:read"}))

    async def again() -> Any:
        return after

    client = Client(stream(doors, caller=replace(before, again=again)))
    await client.saw("t0")
    await client.stream.look_again()
    assert '"type":"done"' not in await client.ended()
    assert client.stream.caller is after


async def test_a_response_gives_its_places_back_even_if_it_never_began(doors: Doors) -> None:
    assert await doors.limits.acquire("stream:a", 1)
    response = StreamResponse(stream(doors), doors.limits, "stream:a")
    response.close()
    await response.aclose()
    assert await doors.limits.acquire("stream:a", 1)
