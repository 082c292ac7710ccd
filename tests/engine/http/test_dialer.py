"""P28, with a loopback canary and made-up lookups: no packet leaves this machine."""

import asyncio
import errno
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import uvloop

from engine.http import dialer
from engine.http.dialer import Dialer, connect, look_up
from engine.http.guard import AddressRefused, Guard
from tests.engine.http.servers import Canary, certify, serving, tunnel_to

LOOPBACK = ip_network("127.0.0.0/8")
Answers = Callable[..., None]


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    async with serving() as server:
        yield server


@pytest.fixture
async def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Makes each lookup find the next of these lists of addresses, and further ones nothing."""

    look_up = socket.getaddrinfo

    def of(address: str, port: int) -> Any:
        numeric = socket.AI_NUMERICHOST
        return look_up(address, port, type=socket.SOCK_STREAM, flags=numeric)[0]

    def give(*lists: list[str]) -> None:
        left = list(lists)

        def find(host: str, port: int, **options: Any) -> list[Any]:
            if options.get("flags") == socket.AI_NUMERICHOST:
                return look_up(host, port, **options)
            return [of(address, port) for address in left.pop(0)]

        monkeypatch.setattr(socket, "getaddrinfo", find)

    return give


async def get(url: str, guard: Guard | None) -> bytes:
    """The answer to a request over a connection of its own."""
    reader = asyncio.StreamReader()
    protocol = await Dialer(url, guard).dial(lambda: asyncio.StreamReaderProtocol(reader))
    transport = protocol._transport  # type: ignore[attr-defined]
    transport.write(b"GET / HTTP/1.1\r\n\r\n")
    try:
        return await asyncio.wait_for(reader.readuntil(b"ok"), 2)
    finally:
        transport.abort()
        await asyncio.sleep(0)


async def test_it_works(canary: Canary, answers: Answers) -> None:
    guard = Guard([LOOPBACK])
    answers(["127.0.0.1"])
    assert (await get(f"http://model.test:{canary.port}/", guard)).endswith(b"ok")
    assert (await get(f"http://127.0.0.1:{canary.port}/", None)).endswith(b"ok")
    assert canary.connections == 2


@pytest.mark.parametrize(
    "url", ["http://[", "http://host:port", "http://host:0", "nonsense", "ftp://host", "https://"]
)
def test_an_address_that_is_none_is_a_value_error(url: str) -> None:
    with pytest.raises(ValueError):
        Dialer(url, None)


@pytest.mark.parametrize("url", ["http://a b", "http://a/\r\nx: y", "http://ä.test", "http://a\\b"])
def test_what_could_be_read_in_two_ways_is_a_value_error(url: str) -> None:
    with pytest.raises(ValueError):
        Dialer(url, None)


# --- the guard


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])
async def test_an_address_is_checked(canary: Canary, host: str) -> None:
    with pytest.raises(AddressRefused):
        await get(f"http://{host}:{canary.port}/", Guard())
    assert canary.connections == 0


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f000001", "0177.0.0.1"])
async def test_a_number_is_no_way_around(canary: Canary, host: str) -> None:
    with pytest.raises(AddressRefused):
        await get(f"http://{host}:{canary.port}/", Guard())
    assert canary.connections == 0


@pytest.mark.parametrize("host", ["localhost", "localhost.", "model.test", "model.test."])
async def test_a_name_is_checked_by_what_it_resolves_to(
    canary: Canary, answers: Answers, host: str
) -> None:
    answers(["127.0.0.1"])
    with pytest.raises(AddressRefused):
        await get(f"http://{host}:{canary.port}/", Guard())
    assert canary.connections == 0


async def test_one_refused_address_among_allowed_ones_is_enough(
    canary: Canary, answers: Answers
) -> None:
    answers(["127.0.0.2", "127.0.0.1"])
    with pytest.raises(AddressRefused):
        await get(f"http://model.test:{canary.port}/", Guard([ip_network("127.0.0.2/32")]))
    assert canary.connections == 0


async def test_a_second_answer_is_never_asked_for(canary: Canary, answers: Answers) -> None:
    """Rebinding: the address that was checked is the one that is connected."""
    answers(["127.0.0.1"])  # a second lookup would find no answer
    assert await get(f"http://model.test:{canary.port}/", Guard([LOOPBACK]))


async def test_each_lookup_is_checked_again(canary: Canary, answers: Answers) -> None:
    answers(["127.0.0.1"], ["127.0.0.2"])
    guard = Guard([ip_network("127.0.0.1/32")])
    assert await get(f"http://model.test:{canary.port}/", guard)
    with pytest.raises(AddressRefused):
        await get(f"http://model.test:{canary.port}/", guard)


# --- connecting


async def test_an_address_that_answers_is_enough(canary: Canary, answers: Answers) -> None:
    answers(["127.0.0.2", "::1", "127.0.0.1"])
    assert await get(f"http://model.test:{canary.port}/", None)


async def test_an_address_that_hangs_is_left_behind(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket whose backlog is full lets a connection wait."""
    monkeypatch.setattr(dialer, "ADDRESS_WAIT", 0.05)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            addresses = [
                *await look_up("127.0.0.1", port),
                *await look_up("127.0.0.1", canary.port),
            ]
            (await connect(addresses)).close()


async def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(OSError) as caught:
            await get(f"http://127.0.0.1:{unused.getsockname()[1]}/", None)
    assert caught.value.errno == errno.ECONNREFUSED


@pytest.mark.parametrize("host", ["x" * 64, "a..b"])
async def test_a_host_that_is_no_name_is_an_error(host: str) -> None:
    with pytest.raises((OSError, UnicodeError)):
        await get(f"http://{host}/", None)


# --- TLS


@pytest.mark.parametrize("host", ["127.0.0.1", "model.test", "model.test."])
async def test_a_server_proves_who_it_is(
    answers: Answers, server_tls: ssl.SSLContext, host: str
) -> None:
    answers(["127.0.0.1"])
    async with serving(context=server_tls) as server:
        assert await get(f"https://{host}:{server.port}/", Guard([LOOPBACK]))


async def test_a_certificate_for_another_name_is_refused(
    answers: Answers, server_tls: ssl.SSLContext
) -> None:
    answers(["127.0.0.1"])
    async with serving(context=server_tls) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await get(f"https://other.test:{server.port}/", None)


async def test_a_certificate_of_a_stranger_is_refused(tmp_path: Path) -> None:
    async with serving(context=certify(tmp_path)[0]) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await get(f"https://127.0.0.1:{server.port}/", None)


async def test_a_proxy_passes_bytes_on_that_it_cannot_read(
    answers: Answers, server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []
    answers()  # nobody here looks the name up
    async with (
        serving(context=server_tls) as server,
        serving(tunnel_to(server.port, asked)) as proxy,
    ):
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        assert await get("https://model.test", None)
    assert [line.split(b"\r\n")[0] for line in asked] == [b"CONNECT model.test:443 HTTP/1.1"]


def test_it_works_on_the_loop_of_serve(server_tls: ssl.SSLContext) -> None:
    async def ask() -> None:
        async with serving(context=server_tls) as server, serving() as plain:
            assert await get(f"https://127.0.0.1:{server.port}/", None)
            assert await get(f"http://localhost:{plain.port}/", None)

    uvloop.run(ask())


async def test_p20_tenants_that_name_silent_hosts_hold_up_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A lookup that is given up still holds its thread."""
    over, look_up_ = threading.Event(), socket.getaddrinfo

    def find(host: str, port: int, **options: Any) -> Any:
        if host == "silent.test":
            over.wait()
        return look_up_("127.0.0.1", port, type=socket.SOCK_STREAM)

    monkeypatch.setattr(socket, "getaddrinfo", find)
    silent = [asyncio.create_task(get("http://silent.test", Guard())) for _ in range(50)]
    await asyncio.sleep(0)
    assert (await asyncio.wait_for(look_up("operator.test", 80), 5))[0][4] == ("127.0.0.1", 80)
    over.set()
    refused = await asyncio.gather(*silent, return_exceptions=True)
    assert {type(error) for error in refused} == {AddressRefused}
