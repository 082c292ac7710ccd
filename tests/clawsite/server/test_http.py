"""`clawsite.server.http`: what a request may be, and that each is answered in its turn; the rest is
tested by `tests/live`."""

import asyncio
import json
from typing import Any

import pytest

from clawsite.server.http import MAX_HEADER_FIELDS, MAX_HEADERS, MAX_URL
from tests.clawsite.server.talking import answered, connected


async def statuses(*pieces: bytes) -> list[bytes]:
    """The statuses of what is answered."""
    lines = (await answered(*pieces)).splitlines()
    return [line.split()[1] for line in lines if line.startswith(b"HTTP/1.1 ")]


def get(path: int = 1, header: int = 1) -> bytes:
    """A request whose address and one header are of these sizes."""
    return b"GET /%b HTTP/1.1\r\nHost: a\r\nX: %b\r\n" % (b"a" * (path - 1), b"x" * header)


LAST = b"Connection: close\r\n\r\n"


async def test_a_head_within_the_limits_is_answered_on_a_connection_that_goes_on() -> None:
    large = get(MAX_URL, MAX_HEADERS - 100)
    assert await statuses(large + b"\r\n", large + b"\r\n", large + LAST) == [b"204"] * 3


async def test_an_address_that_is_too_long_is_414() -> None:
    assert await statuses(get(MAX_URL + 1) + LAST) == [b"414"]


async def test_headers_that_are_too_large_are_431() -> None:
    assert await statuses(get(header=MAX_HEADERS) + LAST) == [b"431"]
    many = b"".join(b"X%d: %b\r\n" % (place, b"x" * 1000) for place in range(70))
    assert await statuses(get() + many + LAST) == [b"431"]


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\n"])
async def test_a_head_without_end_is_cut(start: bytes) -> None:
    await statuses(start, *[b"a" * 65536] * 200)


async def test_a_trailer_without_end_is_cut() -> None:
    chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: "
    await statuses(chunked, *[b"a" * 65536] * 200)


async def test_rubbish_is_400() -> None:
    assert await statuses(b"rubbish\r\n\r\n") == [b"400"]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"rubbish\r\n\r\n", "invalid_message"),
        (get(MAX_URL + 1) + LAST, "message_too_large"),
        (get(header=MAX_HEADERS) + LAST, "message_too_large"),
    ],
)
async def test_what_is_no_request_gets_the_envelope_of_every_error(sent: bytes, code: str) -> None:
    """P37."""
    head, _, body = (await answered(sent)).partition(b"\r\n\r\n")
    error = json.loads(body)["error"]
    assert error["code"] == code
    assert f"x-request-id: {error['requestId']}\r\n".encode() in head
    assert b"content-type: application/json\r\n" in head


CHUNKED = b"POST /admin/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("path", [b"/api/chat", b"/admin/", b"/static/x", b"/nowhere"])
async def test_a_body_that_is_too_large_is_refused_at_once_on_every_path(path: bytes) -> None:
    """P16."""
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 300000000\r\n\r\n" % path
    assert await statuses(head) == [b"413"]
    assert await statuses(head, *[b"x" * 65536] * 20) == [b"413"]


async def test_the_bytes_of_a_chunked_body_are_counted() -> None:
    """P16."""
    piece = b"10000\r\n%b\r\n" % (b"x" * 65536)
    assert await statuses(CHUNKED, *[piece] * 40) == [b"413"]
    whole = b"".join([CHUNKED, *[piece] * 15, b"0\r\n\r\n", get(), LAST])
    assert await statuses(whole) == [b"204", b"204"]


async def test_pieces_of_one_byte_make_a_body() -> None:
    pieces = b"1;x=y\r\na\r\n" * 5000 + b"0\r\nX-T: 1\r\n\r\n"
    assert await statuses(CHUNKED + pieces, get() + LAST) == [b"204", b"204"]


async def test_too_many_headers_are_431() -> None:
    few, many = (b"X: a\r\n" * (MAX_HEADER_FIELDS + more) for more in (-3, 1))
    assert await statuses(get() + few + LAST) == [b"204"]
    assert await statuses(get() + many + LAST) == [b"431"]


@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        (b"Host: a\r\n", b"204"),
        (b"Host: [::1]:8000\r\n", b"204"),
        (b"Host:\r\n", b"204"),
        (b"", b"400"),
        (b"Host: a\r\nHost: b\r\n", b"400"),
        (b"Host: a\r\nhost: a\r\n", b"400"),
        (b"Host: a b\r\n", b"400"),
        (b"Host: a/b\r\n", b"400"),
        (b"Host: \xe9\r\n", b"400"),
    ],
)
async def test_a_request_names_one_host(hosts: bytes, status: bytes) -> None:
    """RFC 9112, 3.2."""
    assert await statuses(b"GET / HTTP/1.1\r\n" + hosts + LAST) == [status]


async def test_only_a_request_of_http_1_0_may_name_no_host() -> None:
    assert await statuses(b"GET / HTTP/1.0\r\n\r\n") == [b"204"]
    assert await statuses(b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n") == [b"400"]


async def test_blanks_around_a_header_do_not_count() -> None:
    """RFC 9110, 5.5."""
    seen: list[Any] = []

    async def look(scope: Any, receive: Any, send: Any) -> None:
        seen.append(dict(scope["headers"])[b"x"])
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    await answered(b"GET / HTTP/1.1\r\nHost: a\r\nX: \t a b \t \r\n" + LAST, app=look)
    assert seen == [b"a b"]


async def endless(scope: Any, receive: Any, send: Any) -> None:
    """An answer of unknown length."""
    await send({"type": "http.response.start", "status": 200})
    for piece in (b"one", b"", b"two"):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


async def test_a_client_of_http_1_0_gets_no_chunks() -> None:
    """RFC 9112, 6.3: the body ends with the connection."""
    head, _, body = (await answered(b"GET / HTTP/1.0\r\n\r\n", app=endless)).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert body == b"onetwo"
    chunked = await answered(get() + LAST, app=endless)
    assert chunked.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


async def test_nothing_is_read_while_a_request_waits_for_its_turn() -> None:
    """P16: what comes behind it stays in the network."""
    first, sent = asyncio.Event(), 0

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        size = 0
        if scope["path"] == "/slow":
            watching = asyncio.create_task(receive())  # it looks out for the end of its client
            await asyncio.sleep(0)
            await first.wait()
            watching.cancel()
        else:
            while (message := await receive()).get("more_body"):
                size += len(message["body"])
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    def taken(number: int) -> None:
        nonlocal sent
        sent = number
        first.set()

    body = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000000
    requests = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n" + body * 30 + get() + LAST
    answer = await answered(requests, app=slow, when_stuck=taken)
    assert answer.count(b"HTTP/1.1 204") == 32
    assert 0 < sent < 10_000_000


async def test_requests_without_end_are_answered_in_their_order() -> None:
    many = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(500))
    assert await statuses(many + get() + LAST) == [b"204"] * 501


async def test_an_error_waits_for_the_answers_before_it() -> None:
    assert await statuses(get() + b"\r\n" + b"rubbish\r\n\r\n") == [b"204", b"400"]


@pytest.mark.parametrize(
    "framing",
    [b"Content-Length: 3\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"],
)
async def test_an_upgrade_to_something_else_is_passed_over_and_the_body_arrives(
    framing: bytes,
) -> None:
    """RFC 9110, 7.8; curl asks for h2c with each request that it sends with `--http2`."""
    bodies: list[bytes] = []

    async def look(scope: Any, receive: Any, send: Any) -> None:
        bodies.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    answer = await answered(head + framing + get() + LAST, app=look)
    assert answer.count(b"HTTP/1.1 204") == 2
    assert bodies == [b"abc", b""]


async def test_connect_is_400() -> None:
    assert await statuses(b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n") == [b"400"]


async def test_a_large_piece_of_a_stream_waits_on_disk_for_a_peer_that_does_not_read() -> None:
    """P15."""
    large = b"".join(b"%d " % number for number in range(1_000_000))
    taken = asyncio.Event()

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        write, drained = (scope["extensions"][f"clawsite.{name}"] for name in ("write", "drained"))
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"begin ", "more_body": True})
        assert write([large])
        assert not write([b"too early"])
        taken.set()
        await drained()
        assert write([b"end"])
        await send({"type": "http.response.body"})

    async with connected(stream) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n" + LAST)
        await taken.wait()
        _, _, body = (await reader.read()).partition(b"\r\n\r\n")
    said = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        said, body = said + body[: int(size, 16)], body[int(size, 16) + 2 :]
    assert said == b"begin " + large + b"end"
