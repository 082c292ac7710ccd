"""With providers on top, and P28 for servers that a tenant names."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_network
from pathlib import Path

import pytest

from engine.http import pool
from engine.http.connection import Idle
from engine.http.guard import Guard
from engine.http.http1 import Broken
from engine.http.pool import Pool, base_path
from engine.providers.base import Provider
from tests.engine.conftest import WAYS
from tests.engine.http.servers import OK, Canary, certify, relay_to, serving, tunnel_to
from tests.engine.http.test_connection import Kept
from tests.engine.providers.contract import ask, collect, fail, text_of
from tests.upstream import Upstream, expected_text

Open = Callable[[str, Guard | None], Provider]
LOOPBACK = Guard([ip_network("127.0.0.0/8")])
HELLO = ask("[[upstream tokens=3]]")


@pytest.fixture(params=WAYS)
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[Open]:
    providers: list[Provider] = []

    def open_it(url: str, guard: Guard | None) -> Provider:
        opened = WAYS[request.param].open(url, guard)
        providers.append(opened)
        return opened

    yield open_it
    for provider in providers:
        await provider.aclose()


async def test_it_works(opened: Open, upstream: Upstream) -> None:
    deltas = await collect(opened(upstream.url, LOOPBACK), HELLO)
    assert text_of(deltas) == expected_text("tokens=3")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "user@127.0.0.1"]
)
async def test_a_private_address_is_refused(opened: Open, upstream: Upstream, host: str) -> None:
    _, error = await fail(opened(f"http://{host}:{upstream.port}", Guard()), HELLO)
    assert (error.code, error.retryable) == ("upstream_error", False)
    assert "127" not in error.message and "refused" in error.reason
    assert upstream.requests == [] and not upstream.connections


async def test_a_redirect_is_not_followed(opened: Open, upstream: Upstream) -> None:
    await fail(opened(upstream.url, LOOPBACK), ask("[[upstream mode=redirect]]"))
    assert len(upstream.requests) == 1


async def test_only_the_operators_own_address_is_reached_by_the_proxy(
    opened: Open, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model server plays the proxy; the name resolves nowhere."""
    monkeypatch.setenv("http_proxy", upstream.url)
    monkeypatch.delenv("no_proxy", raising=False)
    deltas = await collect(opened("http://model.invalid", None), HELLO)
    assert text_of(deltas) == expected_text("tokens=3")
    _, error = await fail(opened(f"http://127.0.0.2:{upstream.port}", Guard()), HELLO)
    assert error.retryable is False
    assert len(upstream.requests) == 1


async def test_a_server_proves_who_it_is(
    opened: Open, upstream: Upstream, server_tls: ssl.SSLContext
) -> None:
    async with serving(relay_to(upstream.port), server_tls) as server:
        provider = opened(f"https://127.0.0.1:{server.port}", LOOPBACK)
        for _ in range(2):
            assert text_of(await collect(provider, HELLO)) == expected_text("tokens=3")
        assert server.connections == 1
        await provider.aclose()


async def test_a_stranger_is_told_nothing(opened: Open, upstream: Upstream, tmp_path: Path) -> None:
    async with serving(relay_to(upstream.port), certify(tmp_path)[0]) as server:
        _, error = await fail(opened(f"https://127.0.0.1:{server.port}", LOOPBACK), HELLO)
    assert (error.code, error.retryable) == ("upstream_error", True)
    assert "CERTIFICATE_VERIFY_FAILED" in error.reason
    assert upstream.requests == []


async def test_a_proxy_passes_bytes_on_that_it_cannot_read(
    opened: Open,
    upstream: Upstream,
    server_tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []
    async with (
        serving(relay_to(upstream.port), server_tls) as server,
        serving(tunnel_to(server.port, asked)) as proxy,
    ):
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        provider = opened("https://model.test", None)
        assert text_of(await collect(provider, HELLO)) == expected_text("tokens=3")
        await provider.aclose()
    assert [line.split(b"\r\n")[0] for line in asked] == [b"CONNECT model.test:443 HTTP/1.1"]


async def test_a_pool_outlives_a_connection_that_broke(opened: Open, upstream: Upstream) -> None:
    provider = opened(upstream.url, None)
    await collect(provider, HELLO)
    for connection in upstream.connections:
        connection.cut("rst")
    assert text_of(await collect(provider, HELLO)) == expected_text("tokens=3")


async def test_an_endless_refusal_is_not_read_to_its_end(opened: Open, upstream: Upstream) -> None:
    request = ask("[[upstream mode=http status=400 what=endless]]")
    _, error = await fail(opened(upstream.url, None), request)
    assert error.code == "upstream_error" and len(error.reason) <= 500
    await upstream.until(lambda: upstream.streams[0].state == "aborted")


# --- by itself


def opened_pool(server: Canary, path: str = "/v1") -> Pool:
    return Pool(f"http://127.0.0.1:{server.port}{path}", "/go", {"x-key": "1"}, None)


async def post(opened: Pool, idle_timeout: float = 5) -> list[bytes]:
    kept = Kept()
    await opened.post(b"{}", kept, idle_timeout)
    return kept.bodies


async def test_what_it_sends() -> None:
    async with serving() as server:
        pool = opened_pool(server, "/v1/")
        assert await post(pool) == [b"ok"]
        await pool.aclose()
    host = f"127.0.0.1:{server.port}"
    head = f"POST /v1/go HTTP/1.1\r\nhost: {host}\r\nx-key: 1\r\ncontent-length: 2\r\n\r\n"
    assert server.requests == [head.encode()]


async def test_a_server_that_closes_used_connections_is_asked_once_more() -> None:
    """It may close in the moment when we send, which nobody can see before."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (OK, b""):
            await reader.readuntil(b"{}")
            writer.write(answer)
            await writer.drain()

    async with serving(serve) as server:
        pool = opened_pool(server)
        assert [await post(pool) for _ in range(3)] == [[b"ok"]] * 3
        assert server.connections == 3
        await pool.aclose()


async def test_a_fresh_connection_that_is_closed_is_broken() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")

    async with serving(serve) as server:
        pool = opened_pool(server)
        with pytest.raises(Broken):
            await post(pool)
        assert server.connections == 1
        await pool.aclose()


async def test_no_request_waits_for_another() -> None:
    """A process carries out more than a thousand answers of one account."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        everybody.release()
        await all_here.wait()
        writer.write(OK)

    everybody, all_here, count = asyncio.Semaphore(0), asyncio.Event(), 60
    async with serving(serve) as server:
        wide = opened_pool(server)
        answers = [asyncio.create_task(post(wide)) for _ in range(count)]
        for _ in range(count):
            await everybody.acquire()
        all_here.set()
        assert await asyncio.gather(*answers) == [[b"ok"]] * count
        await wide.aclose()


async def test_connecting_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def never(*_: object, **__: object) -> None:
        over.wait()
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", never)
    slow = Pool("http://model.test", "/go", {}, None)
    with pytest.raises(Idle):
        await post(slow, 0.01)
    over.set()


async def test_connections_that_rest_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(OK)
        assert await reader.read() == b""
        closed.set()

    closed = asyncio.Event()
    monkeypatch.setattr(pool, "KEEPALIVE_SECONDS", 0.01)
    async with serving(serve) as server:
        tired = opened_pool(server)
        await post(tired)
        await asyncio.wait_for(closed.wait(), 1)
        await tired.aclose()


@pytest.mark.parametrize(
    ("given", "path", "before"),
    [
        ("", "/chat/completions", ""),
        ("/v1//", "/chat/completions", "/v1"),
        ("/v1/chat/completions/", "/chat/completions", "/v1"),
        ("/chat", "/chat/completions", "/chat"),
        ("/", "/v1/messages", ""),
        ("/v1", "/v1/messages", ""),
        ("/proxy/v1/messages", "/v1/messages", "/proxy"),
        ("/proxy/anthropic/", "/v1/messages", "/proxy/anthropic"),
    ],
)
def test_an_address_may_hold_the_path_already(given: str, path: str, before: str) -> None:
    assert base_path(given, path) == before
