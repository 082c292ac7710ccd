"""`engine.http.page`: a page of the web, and never one of our own network (P28)."""

import asyncio
import socket
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from engine.http import page
from engine.http.guard import AddressRefused, Guard
from engine.http.page import NotFetched, fetch
from tests.engine.http.servers import Canary, Serve, serving

HERE = Guard([ip_network("127.0.0.0/8")])


def answering(*answers: bytes) -> Serve:
    """A server that gives one answer to each connection, the last one for ever."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()

    return serve


def ok(body: bytes, kind: str = "text/plain; charset=utf-8", more: str = "") -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{more}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def moved(location: str) -> bytes:
    head = f"HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
    return head.encode()


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes every name resolve to one address."""
    look_up = socket.getaddrinfo

    def give(address: str) -> None:
        def find(host: str, port: int, **options: Any) -> Any:
            return look_up(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)

        monkeypatch.setattr(socket, "getaddrinfo", find)

    return give


async def test_it_works() -> None:
    async with serving(answering(ok(b"Hello"))) as server:
        found = await fetch(f"http://127.0.0.1:{server.port}/a?b=c#part", HERE)
    assert found == (f"http://127.0.0.1:{server.port}/a?b=c", "text/plain", b"Hello", False)


async def test_a_redirect_is_followed() -> None:
    async with serving(answering(moved("/b"), ok(b"there"))) as server:
        found = await fetch(f"http://127.0.0.1:{server.port}/a", HERE)
    assert (found.url.endswith("/b"), found.body) == (True, b"there")


async def test_redirects_have_an_end() -> None:
    async with serving(answering(moved("/"))) as server:
        with pytest.raises(NotFetched, match="redirects"):
            await fetch(f"http://127.0.0.1:{server.port}/", HERE)
    assert server.connections == page.MAX_REDIRECTS + 1


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.2/",
        "http://169.254.169.254/",
        "https://[::1]/",
        "file:///etc/passwd",
        "//0x7f.1/",
    ],
)
async def test_p28_a_redirect_into_our_network_is_refused(location: str) -> None:
    guard = Guard([ip_network("127.0.0.1/32")])
    async with serving(answering(moved(location), ok(b"secret"))) as server:
        with pytest.raises(AddressRefused):
            await fetch(f"http://127.0.0.1:{server.port}/", guard)
    assert server.connections == 1


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1"])
async def test_p28_a_name_that_resolves_into_our_network_is_refused(resolves, address) -> None:
    canary = Canary()
    server = await asyncio.start_server(canary.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    resolves(address)
    for url in (f"http://evil.test:{port}/", "https://evil.test/"):
        with pytest.raises(AddressRefused):
            await fetch(url, Guard())
    server.close()
    await server.wait_closed()
    assert canary.connections == 0


@pytest.mark.parametrize(
    "url",
    ["", "example.com", "ftp://example.com/", "https://user@example.com/", "http://127.0.0.1/"],
)
async def test_what_is_no_public_address_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        await fetch(url, Guard())


async def test_of_a_large_page_the_beginning_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MAX_BYTES", 1000)
    async with serving(answering(ok(b"x" * 50_000))) as server:
        found = await fetch(f"http://127.0.0.1:{server.port}/", HERE)
    assert (len(found.body), found.cut) == (1000, True)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 6\r\n\r\nsecret", "status 404"),
        (ok(b"x", more="content-encoding: gzip\r\n"), "compressed"),
        (b"no HTTP at all\r\n\r\n", "reached"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx", "reached"),
    ],
)
async def test_what_a_server_gets_wrong_is_said(answer: bytes, said: str) -> None:
    async with serving(answering(answer)) as server:
        with pytest.raises(NotFetched, match=said) as raised:
            await fetch(f"http://127.0.0.1:{server.port}/", HERE)
    assert "secret" not in str(raised.value)


async def test_a_server_that_says_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MAX_SECONDS", 0.05)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(silent) as server:
        with pytest.raises(NotFetched, match=r"0\.05 seconds"):
            await fetch(f"http://127.0.0.1:{server.port}/", HERE)
