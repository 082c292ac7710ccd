"""With a real socket whose other end is in the test's hands, without TLS and with it."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from engine.http import transport as socket_transport
from engine.http.tls import TlsSession, shake_hands
from engine.http.transport import READ, SocketTransport, TlsTransport
from tests.engine.conftest import LOOPS
from tests.engine.http.servers import TlsServer, certify

__all__ = ["LOOPS"]
MEGABYTES = bytes(range(256)) * 4096 * 6  # more than sockets hold


class Kept(asyncio.Protocol):
    """Keeps what it is told."""

    transport: SocketTransport
    error: Exception | None = None

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.ends: list[Exception | None] = []
        self.changed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, SocketTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.parts.append(data)
        self.changed.set()
        if self.error:
            raise self.error

    def connection_lost(self, error: Exception | None) -> None:
        self.ends.append(error)
        self.changed.set()

    async def until(self, met: Callable[["Kept"], object]) -> None:
        async with asyncio.timeout(10):
            while not met(self):
                self.changed.clear()
                await self.changed.wait()

    async def until_heard(self, data: bytes) -> None:
        await self.until(lambda kept: sum(map(len, kept.parts)) >= len(data))
        assert b"".join(self.parts) == data

    async def until_lost(self) -> Exception | None:
        await self.until(lambda kept: kept.ends)
        await asyncio.sleep(0)
        (error,) = self.ends
        assert self.transport.is_closing()
        return error


class Peer:
    """The server's end."""

    tls: TlsServer | None = None

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.loop = asyncio.get_running_loop()

    async def begin(self, context: ssl.SSLContext) -> None:
        self.tls = TlsServer(context)
        done = False
        while not done:
            done = self.tls.shake_hands(await self.loop.sock_recv(self.socket, 65536))
            await self.put(self.tls.outgoing.read())

    async def put(self, data: bytes) -> None:
        """As it is."""
        await self.loop.sock_sendall(self.socket, data)

    def wire(self, *parts: bytes) -> bytes:
        return self.tls.say(*parts) if self.tls else b"".join(parts)

    async def hear(self, size: int) -> bytes:
        heard = b""
        while len(heard) < size:
            data = await asyncio.wait_for(self.loop.sock_recv(self.socket, 1 << 20), 5)
            assert data, "closed"
            heard += self.tls.hear(data) if self.tls else data
        return heard

    async def is_left(self) -> bool:
        with suppress(ConnectionError):
            while await asyncio.wait_for(self.loop.sock_recv(self.socket, 1 << 20), 5):
                pass
        return True


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    for sock in (ours, theirs):
        sock.setblocking(False)
    return ours, theirs


Ends = tuple[Kept, Peer]
Connect = Callable[[socket.socket, Peer], Awaitable[Kept]]


@pytest.fixture
def contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The client's and the server's."""
    server, trusted = certify(tmp_path)
    return ssl.create_default_context(cafile=str(trusted)), server


@pytest.fixture
async def plain() -> AsyncIterator[Ends]:
    ours, theirs = tcp_pair()
    kept = Kept()
    SocketTransport(ours, kept)
    yield kept, Peer(theirs)
    await leave(kept, ours, theirs)


@pytest.fixture
async def tls(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> AsyncIterator[Ends]:
    ours, theirs = tcp_pair()
    kept, peer = Kept(), Peer(theirs)
    beginning = asyncio.create_task(peer.begin(contexts[1]))
    TlsTransport(ours, kept, await shake_hands(ours, contexts[0], "model.test"))
    await beginning
    yield kept, peer
    await leave(kept, ours, theirs)


async def leave(kept: Kept, ours: socket.socket, theirs: socket.socket) -> None:
    kept.transport.abort()
    await kept.until_lost()
    assert ours.fileno() == -1
    theirs.close()


@pytest.fixture(params=["plain", "tls"])
def ends(request: pytest.FixtureRequest) -> Ends:
    return request.getfixturevalue(request.param)


async def test_it_works(ends: Ends) -> None:
    kept, peer = ends
    for _ in range(2):
        kept.transport.write(b"question")
        assert await peer.hear(8) == b"question"
        kept.parts.clear()
        await peer.put(peer.wire(b"answer"))
        await kept.until_heard(b"answer")
    assert kept.ends == [] and not kept.transport.is_closing()


# --- sizes


async def test_a_request_may_be_longer_than_what_sockets_hold(ends: Ends) -> None:
    kept, peer = ends
    kept.transport.write(MEGABYTES)
    kept.transport.write(b"and more")
    assert await peer.hear(len(MEGABYTES) + 8) == MEGABYTES + b"and more"
    kept.transport.write(b"and again")
    assert await peer.hear(9) == b"and again"


async def test_so_may_an_answer_and_it_comes_in_bounded_reads(ends: Ends) -> None:
    kept, peer = ends
    sending = asyncio.create_task(peer.put(peer.wire(MEGABYTES)))
    await kept.until_heard(MEGABYTES)
    assert max(map(len, kept.parts)) <= READ
    await sending


async def test_a_server_that_sends_too_fast_rests_after_each_read(
    plain: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For ever, here: so one read is all that is heard of it, until it is asked again."""
    monkeypatch.setattr(socket_transport, "REST", 1e12)
    monkeypatch.setattr(socket_transport, "MAX_REST", 1e6)
    kept, peer = plain
    sending = asyncio.create_task(peer.put(peer.wire(MEGABYTES)))
    await kept.until(lambda kept: kept.parts)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(kept.parts) == 1
    kept.transport.write(b"next")
    await kept.until(lambda kept: len(kept.parts) == 2)
    kept.transport.abort()
    with suppress(ConnectionError):
        await sending


async def test_a_server_whose_pieces_are_read_at_once_never_rests(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_transport, "REST", 1e12)
    monkeypatch.setattr(socket_transport, "MAX_REST", 1e6)
    kept, peer = ends
    piece = b"x" * (READ // 2)
    for count in range(1, 20):
        await peer.put(peer.wire(piece))
        await kept.until_heard(piece * count)


async def test_an_answer_may_come_bytewise(ends: Ends) -> None:
    kept, peer = ends
    for byte in peer.wire(b"one", b"two"):
        await peer.put(bytes([byte]))
        await asyncio.sleep(0)
    await kept.until_heard(b"onetwo")


async def test_all_that_has_arrived_is_given_at_once(ends: Ends) -> None:
    """TLS reads ahead of what it gives, and the poller knows nothing of that."""
    kept, peer = ends
    await peer.put(peer.wire(*[b"%d," % number for number in range(100)]))
    await kept.until_heard(b"".join(b"%d," % number for number in range(100)))
    assert len(kept.parts) == 1


async def test_what_came_with_the_end_of_the_handshake_is_given(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    contexts[1].maximum_version = ssl.TLSVersion.TLSv1_2  # where the server has the last word
    ours, theirs = tcp_pair()
    client, server = TlsSession(contexts[0], "model.test"), TlsServer(contexts[1])
    client.shake_hands(b"")
    server.shake_hands(client.answers())
    client.shake_hands(server.outgoing.read())
    assert server.shake_hands(client.answers())
    assert client.shake_hands(server.outgoing.read() + server.say(b"early"))
    kept = Kept()
    TlsTransport(ours, kept, client)
    await kept.until_heard(b"early")
    await leave(kept, ours, theirs)


# --- the end


async def test_a_server_that_leaves_is_the_end(ends: Ends) -> None:
    """Many do without the close_notify of TLS."""
    kept, peer = ends
    await peer.put(peer.wire(b"bye"))
    peer.socket.close()
    assert await kept.until_lost() is None
    assert kept.parts == [b"bye"]


async def test_a_close_notify_is_the_end(tls: Ends) -> None:
    kept, peer = tls
    assert peer.tls
    await peer.put(peer.wire(b"bye") + peer.tls.leave() + b"junk")
    assert await kept.until_lost() is None
    assert kept.parts == [b"bye"]
    assert await peer.is_left()


async def test_the_end_in_the_middle_of_a_record_is_the_end(tls: Ends) -> None:
    kept, peer = tls
    await peer.put(peer.wire(b"whole") + peer.wire(b"half")[:-1])
    peer.socket.close()
    assert await kept.until_lost() is None
    assert kept.parts == [b"whole"]


async def test_what_is_no_tls_is_an_error_after_what_was(tls: Ends) -> None:
    kept, peer = tls
    await peer.put(peer.wire(b"fine") + b"HTTP/1.1 500 Oops\r\n\r\n")
    assert isinstance(await kept.until_lost(), ssl.SSLError)
    assert kept.parts == [b"fine"]


async def test_a_reset_is_an_error(ends: Ends) -> None:
    kept, peer = ends
    linger = struct.pack("ii", 1, 0)
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    peer.socket.close()
    assert isinstance(await kept.until_lost(), ConnectionResetError)


async def test_a_request_that_cannot_be_sent_is_an_error(ends: Ends) -> None:
    kept, peer = ends
    kept.transport.write(MEGABYTES)
    await peer.hear(1)
    peer.socket.close()  # with something unread: a reset
    assert isinstance(await kept.until_lost(), OSError)
    kept.transport.write(b"more")


async def test_abort_ends_it_at_once(ends: Ends) -> None:
    kept, peer = ends
    kept.transport.write(MEGABYTES)
    await peer.put(peer.wire(b"late"))
    for _ in range(2):
        kept.transport.abort()
        assert kept.transport.is_closing()
        kept.transport.write(b"more")
    assert kept.ends == []  # not within the call
    assert await kept.until_lost() is None
    assert kept.parts == []
    assert await peer.is_left()


async def test_what_the_protocol_raises_is_reported_and_ends_it(ends: Ends) -> None:
    kept, peer = ends
    reported: list[Any] = []
    kept.error = LookupError("full")
    peer.loop.set_exception_handler(lambda _, context: reported.append(context["exception"]))
    await peer.put(peer.wire(b"hello"))
    assert await kept.until_lost() is kept.error
    assert reported == [kept.error]
