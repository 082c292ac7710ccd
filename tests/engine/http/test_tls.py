"""Sessions in memory, with every byte in the test's hands; the handshake over a real socket."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.http.dialer import tls_context
from engine.http.tls import TlsSession, shake_hands
from tests.engine.conftest import LOOPS
from tests.engine.http.servers import TlsServer, certify

__all__ = ["LOOPS"]
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
LONG = bytes(range(256)) * 400  # several records


@pytest.fixture(params=VERSIONS, ids=["TLS 1.2", "TLS 1.3"])
def contexts(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[ssl.SSLContext, ...]:
    """The client's and the server's."""
    server, trusted = certify(tmp_path)
    server.maximum_version = request.param
    return ssl.create_default_context(cafile=str(trusted)), server


@pytest.fixture
def sides(contexts: tuple[ssl.SSLContext, ...]) -> tuple[TlsSession, TlsServer]:
    """Both have shaken hands."""
    client, server = TlsSession(contexts[0], "model.test"), TlsServer(contexts[1])
    data, done = b"", False
    while not done:
        done = client.shake_hands(data)
        server.shake_hands(client.answers())
        data = server.outgoing.read()
    assert client.decrypt(data) == b""  # tickets
    return client, server


def test_it_works(sides: tuple[TlsSession, TlsServer]) -> None:
    client, server = sides
    client.encrypt(LONG)
    assert server.hear(client.answers()) == LONG
    assert client.decrypt(server.say(b"hello")) == b"hello"
    assert (client.ended, client.damage, client.unread) == (False, None, False)
    assert client.answers() == b""


@pytest.mark.parametrize("size", [1, 5, 40, 20_000, 1_000_000])
def test_records_may_be_cut_anywhere(sides: tuple[TlsSession, TlsServer], size: int) -> None:
    client, server = sides
    data = server.say(b"a", b"b", LONG, b"c")
    parts = [client.decrypt(data[at : at + size]) for at in range(0, len(data), size)]
    assert b"".join(parts) == b"ab" + LONG + b"c"
    assert parts[0] if size > 20 else not parts[0]  # nothing whole is kept back


def test_what_came_before_the_end_is_given(sides: tuple[TlsSession, TlsServer]) -> None:
    client, server = sides
    assert client.decrypt(server.say(b"a", b"b") + server.leave() + b"junk") == b"ab"
    assert client.ended and client.damage is None


def test_what_came_before_the_damage_is_given(sides: tuple[TlsSession, TlsServer]) -> None:
    client, server = sides
    whole, broken = server.say(b"a"), bytearray(server.say(b"b"))
    broken[-1] ^= 1
    assert client.decrypt(whole + broken) == b"a"
    assert isinstance(client.damage, ssl.SSLError) and not client.ended


# --- the handshake


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    pair = socket.socketpair()
    for sock in pair:
        sock.setblocking(False)
    yield pair
    for sock in pair:
        sock.close()


@pytest.mark.parametrize("host", ["model.test", "127.0.0.1"])
async def test_hands_are_shaken(
    sockets: tuple[socket.socket, socket.socket], contexts: tuple[ssl.SSLContext, ...], host: str
) -> None:
    """The server's bytes come one by one."""
    loop, (ours, theirs) = asyncio.get_running_loop(), sockets
    shaking = asyncio.create_task(shake_hands(ours, contexts[0], host))
    server = TlsServer(contexts[1])
    while not server.shake_hands(await loop.sock_recv(theirs, 65536)):
        for byte in server.outgoing.read():
            await loop.sock_sendall(theirs, bytes([byte]))
            await asyncio.sleep(0)
    await loop.sock_sendall(theirs, server.outgoing.read())
    session = await asyncio.wait_for(shaking, 5)
    session.encrypt(b"hello")
    assert server.hear(session.answers()) == b"hello"


async def test_a_stranger_is_refused(
    sockets: tuple[socket.socket, socket.socket], contexts: tuple[ssl.SSLContext, ...]
) -> None:
    loop, (ours, theirs) = asyncio.get_running_loop(), sockets
    shaking = asyncio.create_task(shake_hands(ours, contexts[0], "other.test"))
    server = TlsServer(contexts[1])
    server.shake_hands(await loop.sock_recv(theirs, 65536))
    await loop.sock_sendall(theirs, server.outgoing.read())
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.wait_for(shaking, 5)
    assert ours.fileno() == -1


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_a_server_that_speaks_no_tls_is_an_error(
    sockets: tuple[socket.socket, socket.socket],
    contexts: tuple[ssl.SSLContext, ...],
    answer: bytes,
) -> None:
    loop, (ours, theirs) = asyncio.get_running_loop(), sockets
    shaking = asyncio.create_task(shake_hands(ours, contexts[0], "model.test"))
    await loop.sock_recv(theirs, 65536)
    await loop.sock_sendall(theirs, answer)
    theirs.close()
    with pytest.raises(OSError):
        await asyncio.wait_for(shaking, 5)
    assert ours.fileno() == -1


async def test_a_handshake_that_is_cancelled_closes_the_socket(
    sockets: tuple[socket.socket, socket.socket], contexts: tuple[ssl.SSLContext, ...]
) -> None:
    loop, (ours, theirs) = asyncio.get_running_loop(), sockets
    shaking = asyncio.create_task(shake_hands(ours, contexts[0], "model.test"))
    await loop.sock_recv(theirs, 65536)
    shaking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await shaking
    assert ours.fileno() == -1
    assert await loop.sock_recv(theirs, 1) == b""


def test_a_name_that_cannot_be_proved_is_an_error_and_leaves_no_socket(
    sockets: tuple[socket.socket, socket.socket], contexts: tuple[ssl.SSLContext, ...]
) -> None:
    with pytest.raises(ValueError):
        asyncio.run(shake_hands(sockets[0], contexts[0], ".test"))
    assert sockets[0].fileno() == -1


@pytest.mark.parametrize("common_name", [None, "model.test"])
def test_a_certificate_names_its_host_as_an_alternative_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, common_name: str | None
) -> None:
    """RFC 9525, 2: a common name says nothing of the host."""
    context, trusted = certify(tmp_path, common_name=common_name)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    client, server = TlsSession(tls_context.__wrapped__(), "model.test"), TlsServer(context)

    def shake_hands() -> None:
        data = b""
        for _ in range(4):
            client.shake_hands(data)
            server.shake_hands(client.answers())
            data = server.outgoing.read()

    if common_name is None:
        shake_hands()
    else:
        with pytest.raises(ssl.SSLCertVerificationError):
            shake_hands()
