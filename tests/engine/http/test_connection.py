"""With a real socket whose other end is in the test's hands."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable
from time import monotonic

import pytest

from engine.http import connection
from engine.http.connection import SURPLUS, Connection, Idle, Stale
from engine.http.http1 import Broken
from engine.http.transport import SocketTransport
from tests.engine.conftest import LOOPS

__all__ = ["LOOPS"]
REQUEST = b"POST / HTTP/1.1\r\nhost: model.test\r\ncontent-length: 0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
HELLO = OK + b"content-length: 5\r\n\r\nhello"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"


class Kept:
    """A receiver that keeps what it is given, and may have enough of it or refuse it."""

    complete = settled = False
    error: Exception | None = None
    enough = 1_000_000
    progress = True

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.bodies: list[bytes] = []
        self.arrived = asyncio.Event()

    def head(self, status: int, headers: dict[str, str]) -> None:
        self.status, self.headers = status, headers

    def body(self, data: bytes) -> bool:
        self.bodies.append(data)
        self.arrived.set()
        self.complete = len(self.bodies) >= self.enough
        if self.error:
            raise self.error
        return self.progress


class Peer:
    """The server's end of a connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.loop = asyncio.get_running_loop()

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            await self.loop.sock_sendall(self.socket, part)
            await asyncio.sleep(0)

    async def read(self) -> bytes:
        """What has been sent; nothing if we closed."""
        return await asyncio.wait_for(self.loop.sock_recv(self.socket, 65536), 1)


@pytest.fixture
async def ends() -> AsyncIterator[tuple[Connection, Peer]]:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    lost = asyncio.Event()
    connection = Connection(lambda _: lost.set())
    ours.setblocking(False)
    SocketTransport(ours, connection)
    yield connection, Peer(theirs)
    theirs.close()
    connection.abort()
    await lost.wait()


async def answered(
    ends: tuple[Connection, Peer], *parts: bytes, kept: Kept | None = None, close: bool = False
) -> Kept:
    """One exchange that the peer answers with these pieces."""
    connection, peer = ends
    kept = kept or Kept()
    exchange = await begin(connection, kept)
    assert await peer.read() == REQUEST
    await peer.send(*parts)
    if close:
        peer.socket.close()
    await finished(exchange)
    return kept


async def begin(connection: Connection, kept: Kept, idle_timeout: float = 5) -> asyncio.Task[None]:
    exchange = asyncio.create_task(connection.exchange(REQUEST, kept, idle_timeout))
    await asyncio.sleep(0)  # it asks
    return exchange


async def finished(exchange: Awaitable[None]) -> None:
    await asyncio.wait_for(exchange, 2)


async def test_it_works(ends: tuple[Connection, Peer]) -> None:
    for _ in range(2):
        kept = await answered(ends, HELLO)
        assert (kept.status, kept.bodies) == (200, [b"hello"])
        assert kept.headers == {"content-type": "text/plain", "content-length": "5"}
        assert ends[0].reusable


@pytest.mark.parametrize("bytewise", [False, True])
@pytest.mark.parametrize(
    ("body", "ends_by_close"),
    [
        (b"content-length: 5\r\n\r\nhello", False),
        (b"transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", False),
        (b"transfer-encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nx-trailer: 1\r\n\r\n", False),
        (b"\r\nhello", True),
    ],
)
async def test_a_body_ends_in_three_ways(
    ends: tuple[Connection, Peer], body: bytes, ends_by_close: bool, bytewise: bool
) -> None:
    answer = OK + body
    parts = [answer[i : i + 1] for i in range(len(answer))] if bytewise else [answer]
    kept = await answered(ends, *parts, close=ends_by_close)
    assert b"".join(kept.bodies) == b"hello"
    assert "x-trailer" not in kept.headers
    assert ends[0].reusable is not ends_by_close


async def test_what_comes_in_one_read_is_given_at_once(ends: tuple[Connection, Peer]) -> None:
    kept = await answered(ends, CHUNKED + b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n")
    assert kept.bodies == [b"ab"]


async def test_interim_responses_are_skipped(ends: tuple[Connection, Peer]) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    kept = await answered(ends, interim, HELLO)
    assert (kept.status, "link" in kept.headers, kept.bodies) == (200, False, [b"hello"])


async def test_a_server_may_want_no_second_request(ends: tuple[Connection, Peer]) -> None:
    await answered(ends, OK + b"connection: close\r\ncontent-length: 0\r\n\r\n")
    assert not ends[0].reusable
    assert await ends[1].read() == b""


# --- what a server may do wrong


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        OK + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\nhello",
        OK + b"bad header\r\n\r\n",
        CHUNKED + b"ZZ\r\nhello",
        OK + b"x: " + b"x" * 2 * SURPLUS,
        CHUNKED + b"0\r\nx: " + b"x" * 2 * SURPLUS,
        b"HTTP/1.1 103 x\r\n\r\n" * SURPLUS,
    ],
    ids=[
        *("no HTTP", "upgrade", "two lengths", "header", "chunk"),
        *("endless header", "endless trailer", "endless interim"),
    ],
)
async def test_what_is_no_http_is_broken(ends: tuple[Connection, Peer], answer: bytes) -> None:
    exchange = await begin(ends[0], Kept())
    sending = asyncio.create_task(ends[1].send(answer))
    with pytest.raises(Broken):
        await finished(exchange)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert not ends[0].reusable


@pytest.mark.parametrize("part", [b"", OK, OK + b"content-length: 9\r\n\r\nhello", CHUNKED])
async def test_a_connection_that_is_lost_is_broken(
    ends: tuple[Connection, Peer], part: bytes
) -> None:
    with pytest.raises(Broken) as caught:
        await answered(ends, part, close=True)
    assert not isinstance(caught.value, Stale)


async def test_what_came_before_the_damage_is_given(ends: tuple[Connection, Peer]) -> None:
    kept = Kept()
    with pytest.raises(Broken):
        await answered(ends, CHUNKED + b"2\r\nhi\r\nZZ\r\n", kept=kept)
    assert kept.bodies == [b"hi"]


async def test_a_used_connection_that_closes_without_a_byte_is_stale(
    ends: tuple[Connection, Peer],
) -> None:
    await answered(ends, HELLO)
    with pytest.raises(Stale):
        await answered(ends, close=True)


async def test_a_used_connection_that_closes_after_a_byte_is_not(
    ends: tuple[Connection, Peer],
) -> None:
    await answered(ends, HELLO)
    with pytest.raises(Broken) as caught:
        await answered(ends, b"H", close=True)
    assert not isinstance(caught.value, Stale)


async def test_what_nobody_asked_for_closes_the_connection(ends: tuple[Connection, Peer]) -> None:
    await answered(ends, HELLO)
    await ends[1].send(HELLO)
    assert await ends[1].read() == b""
    assert not ends[0].reusable


async def test_a_second_response_is_not_taken(ends: tuple[Connection, Peer]) -> None:
    kept = await answered(ends, HELLO + HELLO.replace(b"hello", b"ghost"))
    assert kept.bodies == [b"hello"]
    assert not ends[0].reusable


# --- the receiver


async def test_what_the_receiver_raises_ends_the_exchange(ends: tuple[Connection, Peer]) -> None:
    kept = Kept()
    kept.error = LookupError("full")
    with pytest.raises(LookupError, match="full"):
        await answered(ends, CHUNKED + b"1\r\na\r\n", kept=kept)
    assert await ends[1].read() == b""


async def test_a_receiver_that_is_complete_waits_for_the_end_of_the_body(
    ends: tuple[Connection, Peer],
) -> None:
    kept = Kept()
    kept.enough = 1
    await answered(ends, CHUNKED + b"1\r\na\r\n", b"0\r\n\r\n", kept=kept)
    assert ends[0].reusable


async def test_it_waits_for_a_moment_only(
    ends: tuple[Connection, Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "END_OF_BODY_WAIT", 0.02)
    kept = Kept()
    kept.enough = 1
    await answered(ends, CHUNKED + b"1\r\na\r\n", kept=kept)
    assert await ends[1].read() == b""


async def test_the_frames_of_chunks_are_not_counted_for_ever(ends: tuple[Connection, Peer]) -> None:
    """Each in a segment of its own, as some servers send them."""
    kept = Kept()
    exchange = await begin(ends[0], kept)
    await ends[1].send(CHUNKED)
    for _ in range(SURPLUS // 4):
        await ends[1].send(b"1\r\n", b"a", b"\r\n")
    await ends[1].send(b"0\r\n\r\n")
    await finished(exchange)


async def test_it_waits_for_little_only(
    ends: tuple[Connection, Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "END_OF_BODY_WAIT", 3600)
    kept = Kept()
    kept.enough, kept.progress = 1, False
    exchange = await begin(ends[0], kept)
    rest = b"%x\r\n%b\r\n" % (SURPLUS, b"x" * SURPLUS)
    sending = asyncio.create_task(ends[1].send(CHUNKED + b"1\r\na\r\n", rest, rest, rest))
    await finished(exchange)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


@pytest.mark.parametrize("rest", [b"", b"ZZ\r\n"])
async def test_losing_the_end_of_the_body_is_no_failure(
    ends: tuple[Connection, Peer], rest: bytes
) -> None:
    kept = Kept()
    kept.enough = 1
    await answered(ends, CHUNKED + b"1\r\na\r\n", rest, kept=kept, close=True)
    assert kept.bodies[0] == b"a"


# --- waiting


async def test_without_progress_it_is_idle(ends: tuple[Connection, Peer]) -> None:
    kept = Kept()
    kept.progress = False
    exchange, before = await begin(ends[0], kept, 0.1), monotonic()
    await ends[1].send(CHUNKED + b"1\r\na\r\n")
    await kept.arrived.wait()
    with pytest.raises(Idle):
        await finished(exchange)
    assert 0.09 < monotonic() - before < 2
    assert kept.bodies == [b"a"]


async def test_progress_extends_the_wait(ends: tuple[Connection, Peer]) -> None:
    exchange = await begin(ends[0], Kept(), 0.8)
    await ends[1].send(CHUNKED)
    for _ in range(5):
        await asyncio.sleep(0.2)  # all together longer than one wait
        await ends[1].send(b"1\r\na\r\n")
    await ends[1].send(b"0\r\n\r\n")
    await finished(exchange)


async def test_a_cancelled_exchange_gives_nothing_more(ends: tuple[Connection, Peer]) -> None:
    connection, peer = ends
    kept = Kept()
    exchange = await begin(connection, kept)
    await peer.send(CHUNKED + b"1\r\na\r\n")
    await kept.arrived.wait()
    exchange.cancel()
    connection.data_received(b"1\r\nb\r\n")  # read in the same turn of the loop
    with pytest.raises(asyncio.CancelledError):
        await exchange
    assert kept.bodies == [b"a"]
    assert await peer.read() == REQUEST and await peer.read() == b""


async def test_a_connection_that_rests_too_long_is_closed(ends: tuple[Connection, Peer]) -> None:
    await answered(ends, HELLO)
    ends[0].rest(5)
    await answered(ends, HELLO)
    ends[0].rest(0.01)
    assert await ends[1].read() == b""


async def test_a_server_that_has_said_why_it_stopped_is_not_waited_for(
    ends: tuple[Connection, Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LAST_WORDS_WAIT", 0.05)
    ours, peer = ends
    kept = Kept()
    kept.settled = True
    exchange = asyncio.ensure_future(ours.exchange(REQUEST, kept, 60))
    await peer.read()
    await peer.send(CHUNKED + b"4\r\nstop\r\n")
    with pytest.raises(Idle):
        await asyncio.wait_for(exchange, 5)
    assert kept.bodies == [b"stop"]
