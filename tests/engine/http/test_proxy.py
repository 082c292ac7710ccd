"""A proxy on loopback; the names behind it resolve nowhere."""

import asyncio
import socket

import pytest

from engine.http.dialer import Dialer
from engine.http.proxy import Proxy, environment_proxy
from tests.engine.http.servers import serving

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\nvia: x\r\n\r\n"


async def ask(answer: bytes, host: str = "model.test", user: str = "") -> bytes:
    """Open a tunnel by a proxy that answers this; returns what it was asked."""
    asked = b""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked = await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async with serving(serve) as server:
        proxy = Proxy(f"http://{user}127.0.0.1:{server.port}")
        sock = socket.create_connection(("127.0.0.1", server.port))
        sock.setblocking(False)
        try:
            await proxy.open_tunnel(sock, host, 443)
        except OSError:
            assert sock.fileno() == -1
            raise
        sock.close()
    return asked


async def test_it_works() -> None:
    asked = await ask(ESTABLISHED)
    assert asked == b"CONNECT model.test:443 HTTP/1.1\r\nhost: model.test:443\r\n\r\n"


async def test_it_is_told_who_asks() -> None:
    assert b"proxy-authorization: Basic bWU6YTpi\r\n" in await ask(ESTABLISHED, user="me:a%3Ab@")


async def test_an_ipv6_address_stands_in_brackets() -> None:
    assert (await ask(ESTABLISHED, host="::1")).startswith(b"CONNECT [::1]:443 ")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"x" * 100_000,
    ],
    ids=["nothing", "refused", "half", "no HTTP", "endless"],
)
async def test_without_a_tunnel_it_is_an_error(answer: bytes) -> None:
    with pytest.raises(OSError):
        await ask(answer)


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:1080", "https://127.0.0.1", "http://"])
def test_a_proxy_of_another_kind_is_a_value_error(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError):
        Proxy(url)
    monkeypatch.setenv("https_proxy", url)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(ValueError):
        Dialer("https://model.test", None)


def test_a_proxy_may_be_named_without_a_scheme() -> None:
    proxy = Proxy("proxy.test:3128")
    assert (proxy.host, proxy.port, proxy.headers) == ("proxy.test", 3128, {})


def test_it_is_found_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:3128")
    monkeypatch.setenv("no_proxy", "internal.test")
    assert environment_proxy("https", "api.test") == "http://127.0.0.1:3128"
    assert environment_proxy("https", "internal.test") is None
    assert environment_proxy("http", "api.test") is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_this_machine_needs_none(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    assert environment_proxy("http", host) is None
