"""With httpx2 on top, and small servers on loopback."""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_network

import httpx2
import pytest

from engine.http import httpx
from engine.http.guard import AddressRefused, Guard
from engine.http.httpx import LOST, MAX_READ, MAX_UNREAD, Stream, Transport
from engine.providers.server.refusals.classifier import REFUSAL_BYTES
from tests.engine.conftest import LOOPS
from tests.engine.http.servers import OK, Canary, Serve, serving

__all__ = ["LOOPS"]
GUARD = Guard([ip_network("127.0.0.0/8")])


def client_of(server: Canary, guard: Guard | None = GUARD) -> httpx2.AsyncClient:
    base_url = f"http://127.0.0.1:{server.port}"
    return httpx2.AsyncClient(transport=Transport(base_url, guard), base_url=base_url)


def saying(*answers: bytes, rest: bytes = b"") -> Serve:
    """One answer for each request; then the connection is closed, or the rest comes for ever."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        while rest:
            writer.write(rest)
            await writer.drain()

    return serve


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    async with serving() as server:
        yield server


async def test_it_works(canary: Canary) -> None:
    async with client_of(canary) as client:
        for _ in range(3):
            assert (await client.post("/go")).content == b"ok"
    assert canary.connections == 1


async def test_what_the_guard_refuses_is_not_connected(canary: Canary) -> None:
    async with client_of(canary, Guard()) as client:
        with pytest.raises(AddressRefused):
            await client.post("/go")
    assert canary.connections == 0


async def test_another_address_leads_nowhere_else(canary: Canary) -> None:
    """Whatever a client is talked into, what is connected is the server of the transport."""
    async with client_of(canary) as client:
        await client.post("http://elsewhere.test/go")
    assert canary.connections == 1


async def test_cookies_compression_and_redirects_are_not_seen() -> None:
    headers = b"set-cookie: a=b\r\ncontent-encoding: gzip\r\nlocation: /x\r\nContent-Type: t/p\r\n"
    first = b"HTTP/1.1 307 No\r\ncontent-length: 2\r\n" + headers + b"\r\nno"
    async with serving(saying(first)) as server, client_of(server) as client:
        client.follow_redirects = True
        answer = await client.post("/go")
        assert dict(answer.headers) == {"content-type": "t/p", "content-length": "2"}
        assert (answer.content, len(client.cookies)) == (b"no", 0)


@pytest.mark.parametrize("rest", [b"", b"x" * 8192])
async def test_a_refusal_is_read_as_far_as_it_comes_soon(
    rest: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpx, "END_OF_BODY_WAIT", 0.05)
    refusal = b"HTTP/1.1 400 No\r\ncontent-length: 1000000\r\n\r\nno"
    never = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await saying(refusal, rest=rest)(reader, writer)
        await never.wait()

    async with serving(serve) as server, client_of(server) as client:
        answer = await asyncio.wait_for(client.post("/go"), 2)
        assert answer.status_code == 400 and answer.content.startswith(b"no")
        assert len(answer.content) == (REFUSAL_BYTES if rest else 2)
        never.set()


async def test_a_connection_that_is_lost_is_an_error() -> None:
    cut = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe"
    for said in (b"", b"HTTP/1.1 2", cut, b"nonsense\r\n\r\n"):
        async with serving(saying(said)) as server, client_of(server) as client:
            with pytest.raises(LOST):
                await client.post("/go")


async def test_what_nobody_asked_for_ends_the_connection() -> None:
    came = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await asyncio.sleep(0.02)
        writer.write(OK.replace(b"ok", b"no"))
        came.set()
        await reader.read()

    async with serving(serve) as server, client_of(server) as client:
        for count in (1, 2):
            assert (await client.post("/go")).content == b"ok"
            await came.wait()
            await asyncio.sleep(0.02)
            came.clear()
            assert server.connections == count


# --- the stream by itself


class Closing(asyncio.Transport):
    """Notes that it was aborted."""

    closing = False

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.closing = True


async def test_what_is_not_read_is_bounded() -> None:
    stream, transport = Stream(), Closing()
    stream.connection_made(transport)
    stream.data_received(b"x" * MAX_UNREAD)
    assert not transport.closing and stream.get_extra_info("is_readable")
    stream.data_received(b"x")
    assert transport.closing


async def test_a_cancelled_read_loses_nothing() -> None:
    stream = Stream()
    stream.connection_made(Closing())
    read = asyncio.create_task(stream.read(9))
    await asyncio.sleep(0)
    read.cancel()
    stream.data_received(b"hello")
    with pytest.raises(asyncio.CancelledError):
        await read
    assert [await stream.read(4), await stream.read(4)] == [b"hell", b"o"]


async def test_the_end_comes_after_what_came_before_it() -> None:
    stream = Stream()
    stream.connection_made(Closing())
    stream.data_received(b"bye")
    stream.connection_lost(ConnectionResetError())
    assert await stream.read(9) == b"bye"
    with pytest.raises(LOST):
        await stream.read(9)


async def test_nothing_is_not_sent() -> None:
    """A request ends with it, and a reset that it met would hide an answer that is there."""
    stream = Stream()
    stream.connection_made(Closing())  # which can send nothing
    await stream.write(b"")


async def test_others_come_between_two_long_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx, "AT_ONCE", 0.0)
    stream, others = Stream(), []
    stream.connection_made(Closing())
    stream.data_received(b"x" * (MAX_READ + 1))
    for size in (MAX_READ, 1):
        asyncio.get_running_loop().call_soon(others.append, size)
        assert len(await stream.read(MAX_UNREAD)) == size
        assert others[-1] == size


async def test_much_that_comes_at_once_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads is as fast as the loop brings it, or it would be taken for one who does not."""
    monkeypatch.setattr(httpx, "AT_ONCE", 60.0)
    stream = Stream()
    stream.connection_made(Closing())
    read = asyncio.create_task(stream.read(1))
    await asyncio.sleep(0)
    stream.data_received(b"x" * MAX_UNREAD)
    await read
    turns: list[None] = []
    asyncio.get_running_loop().call_soon(turns.append, None)
    for _ in range(4):
        assert len(await stream.read(MAX_UNREAD)) == MAX_READ
    assert not turns
