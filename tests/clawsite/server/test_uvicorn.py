"""`clawsite.server.uvicorn`: the short way of a text frame, and what a request's head may be; the
rest is tested by `tests/live`."""

import asyncio
import contextlib
import json
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from clawsite.server.uvicorn import MAX_HEADERS, MAX_URL, Http, text_frame


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65535, 65536])
def test_a_text_frame_is_the_one_that_websockets_makes(length: int) -> None:
    data = b"x" * length

    assert text_frame(data) == Frame(Opcode.TEXT, data).serialize(mask=False)


async def application(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204})
    await send({"type": "http.response.body"})


async def answered(*pieces: bytes) -> bytes:
    """What is answered to these bytes, until the connection is closed."""
    config, state = Config(application, lifespan="off", log_config=None), ServerState()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Http(config, state, {}), "127.0.0.1", 0)
    async with asyncio.timeout(10), listening:
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        answer = b""
        with contextlib.suppress(ConnectionError):  # closed before it had taken everything
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                answer += data
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return answer


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
