"""`clawsite.server.websocket`: handshakes that fail, and sockets that would occupy the server."""

import asyncio
import errno
import json
import logging
from typing import Any

import pytest
from websockets.frames import Frame, Opcode

from clawsite.http import spool
from clawsite.server import stalls
from clawsite.server.websocket import MAX_CONTROL_FRAMES, MAX_FRAGMENTS, Frames, text_frame
from tests.clawsite.server.talking import answered, connected

UPGRADE = (
    b"Upgrade: WebSocket\r\nConnection: keep-alive, UPGRADE\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
)
HANDSHAKE = b"GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Version: 13\r\n" + UPGRADE
POLICY = (1008).to_bytes(2, "big")


def masked(payload: bytes, opcode: int = 1, *, fin: bool = True) -> bytes:
    """One short client frame, masked with zeros."""
    return bytes([0x80 * fin | opcode, 0x80 | len(payload)]) + bytes(4) + payload


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Says what it hears."""
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65535, 65536])
def test_a_text_frame_is_the_one_that_websockets_makes(length: int) -> None:
    data = b"x" * length

    assert text_frame(data) == Frame(Opcode.TEXT, data).serialize(mask=False)


async def test_it_works() -> None:
    """Frames that come with the handshake are not lost."""
    sent = HANDSHAKE + b"\r\n" + masked(b"one") + masked(b"two") + masked(b"", 8)
    answer = await answered(sent, app=echo)
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert answer.partition(b"\r\n\r\n")[2] == text_frame(b"one") + text_frame(b"two") + b"\x88\0"


@pytest.mark.parametrize("more", [b"X: %b\r\n" % (b"a" * 20000), b"X: a\r\n" * 200])
async def test_a_handshake_may_be_as_large_as_any_request(more: bytes) -> None:
    answer = await answered(HANDSHAKE + more + b"\r\n" + masked(b"", 8), app=echo)
    assert answer.startswith(b"HTTP/1.1 101 ")


WITHOUT_VERSION = b"GET /ws HTTP/1.1\r\nHost: a\r\n" + UPGRADE


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (HANDSHAKE + b"X: %b\r\n\r\n" % (b"a" * 70000), 431),
        (HANDSHAKE + b"X: a\r\n" * 300 + b"\r\n", 431),
        (HANDSHAKE.replace(b"/ws", b"/" + b"a" * 62000) + b"\r\n", 414),
        (HANDSHAKE + b"Content-Length: 5\r\n\r\nhello", 400),
        (HANDSHAKE + b"Content-Length: 500000000\r\n\r\n" + b"a" * 100000, 400),
        (HANDSHAKE + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 400),
        (HANDSHAKE.replace(b"Host: a\r\n", b"") + b"\r\n", 400),
        (HANDSHAKE + b"Host: b\r\n\r\n", 400),
        (WITHOUT_VERSION + b"\r\n", 400),
        (WITHOUT_VERSION + b"Sec-WebSocket-Version: 8\r\n\r\n", 400),
        (HANDSHAKE.replace(b"Sec-WebSocket-Key", b"X") + b"\r\n", 400),
        (HANDSHAKE.replace(b"GET", b"POST") + b"\r\n", 405),
        (HANDSHAKE.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n", 505),
    ],
)
async def test_every_handshake_that_fails_is_answered_and_closed(sent: bytes, status: int) -> None:
    """P37: as any other error."""
    head, _, body = (await answered(sent, app=echo)).partition(b"\r\n\r\n")
    assert int(head.split()[1]) == status
    assert json.loads(body)["error"]["requestId"].encode() in head


async def test_an_application_that_does_not_accept_has_a_deadline(settings: Any) -> None:
    settings.CLAW_AUTH_TIMEOUT = 0.05
    over = asyncio.Event()

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        while (await receive())["type"] != "websocket.disconnect":
            pass
        over.set()

    answer = await answered(HANDSHAKE + b"\r\n" + masked(b"early"), app=silent)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert over.is_set()


@pytest.mark.parametrize("opcode", [9, 10])
async def test_too_many_control_frames_end_the_socket(opcode: int) -> None:
    """P16: some are answered."""
    few = masked(b"x", opcode) * 100 + masked(b"", 8)
    answer = await answered(HANDSHAKE + b"\r\n" + few, app=echo)
    assert answer.endswith(b"\x88\0")
    assert answer.count(b"\x8a\x01x") == (100 if opcode == 9 else 0)

    flood = masked(b"x", opcode) * (MAX_CONTROL_FRAMES * 10)
    answer = await answered(HANDSHAKE + b"\r\n" + flood, app=echo)
    assert POLICY + b"too many control frames" in answer


@pytest.mark.parametrize("piece", [b"", b"x"])
async def test_a_message_has_so_many_fragments(piece: bytes) -> None:
    """P16."""
    few = masked(b"y", fin=False) + masked(b"x", 0, fin=False) * 1000 + masked(b"z", 0)
    answer = await answered(HANDSHAKE + b"\r\n" + few + masked(b"", 8), app=echo)
    assert text_frame(b"y" + b"x" * 1000 + b"z") in answer

    flood = masked(b"y", fin=False) + masked(piece, 0, fin=False) * (MAX_FRAGMENTS * 3)
    answer = await answered(HANDSHAKE + b"\r\n" + flood, app=echo)
    assert POLICY + b"too many fragments" in answer


@pytest.mark.parametrize(
    "sent",
    [
        masked(b"\xff\xfe"),
        masked(b"\xf0\x9f"),
        masked(b"\xed\xa0\x80"),
        masked(b"\xf0\x9f", fin=False) + masked(b"x", 0),
    ],
)
async def test_a_text_that_is_no_utf8_ends_the_socket_and_is_no_failure(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """RFC 6455, 8.1."""
    answer = await answered(HANDSHAKE + b"\r\n" + sent + masked(b"more"), app=echo)
    assert (1007).to_bytes(2, "big") in answer and text_frame(b"more") not in answer
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


async def test_a_character_may_be_in_two_fragments() -> None:
    sent = masked(b"\xc3", fin=False) + masked(b"\xa9", 0) + masked(b"", 8)
    assert text_frame("\xe9".encode()) in await answered(HANDSHAKE + b"\r\n" + sent, app=echo)


FLOODS = {
    "pings": masked(b"", 9) * 1000,
    "fragments": masked(b"", fin=False) + masked(b"", 0, fin=False) * 1000,
    "messages": masked(b"{}") * 1000,
}


@pytest.mark.parametrize(("kind", "most"), [("pings", 10), ("fragments", 10), ("messages", 1)])
def test_only_so_many_frames_are_looked_at_in_a_turn(kind: str, most: int) -> None:
    """P16: a message ends the turn."""
    frames = Frames()
    for turn in range(1, 4):
        frames.reader.frames = 10
        frames.receive_data(FLOODS[kind] if turn == 1 else b"")
        assert len(frames.events) == most * turn


async def test_a_flood_of_messages_leaves_the_loop_to_others() -> None:
    """P16: between two turns of the loop one is taken."""
    heard = 0

    async def count(scope: Any, receive: Any, send: Any) -> None:
        nonlocal heard
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] == "websocket.receive":
            heard += 1

    async with connected(count) as (reader, writer):
        writer.write(HANDSHAKE + b"\r\n" + FLOODS["messages"])
        await reader.readuntil(b"\r\n\r\n")
        before = heard
        for _ in range(20):
            await asyncio.sleep(0)
        assert heard - before <= 20


async def test_pongs_wait_while_the_peer_does_not_read() -> None:
    """P16: RFC 6455, 5.5.3: only the latest need be sent."""
    large = "x" * 30_000_000

    async def loud(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        sending = asyncio.create_task(send({"type": "websocket.send", "text": large}))
        while (await receive())["type"] != "websocket.disconnect":
            pass
        await asyncio.gather(sending, return_exceptions=True)

    async with connected(loud) as (reader, writer):
        writer.write(HANDSHAKE + b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(masked(b"a", 9) * 200 + masked(b"last", 9))
        await writer.drain()
        await asyncio.sleep(0.3)  # it looks at 64 of them in 10 ms, and has no event for us
        rest = b""
        while not rest.endswith(b"\x8a\x04last"):
            rest = (rest + await reader.read(1 << 20))[-4096:]
        assert rest.count(b"\x8a\x01a") < 64


LARGE_TEXT = "".join(f"{number} \xe9 " for number in range(500_000))


async def large(scope: Any, receive: Any, send: Any) -> None:
    """Says something large, and then something small, whoever listens."""
    await receive()
    await send({"type": "websocket.accept"})
    async with asyncio.timeout(1):  # it need not wait until its peer reads
        await send({"type": "websocket.send", "text": LARGE_TEXT})
    await send({"type": "websocket.send", "text": "small"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def read_frames(reader: asyncio.StreamReader, last: bytes) -> list[tuple[int, bytes]]:
    """The frames up to the one that says `last`: opcode and FIN, and payload."""
    frames: list[tuple[int, bytes]] = []
    while not frames or frames[-1][1] != last:
        head, length = await reader.readexactly(2)
        if length > 125:
            size = await reader.readexactly(2 if length == 126 else 8)
            length = int.from_bytes(size, "big")
        frames.append((head, await reader.readexactly(length)))
    return frames


@pytest.mark.parametrize("full_disk", [False, True])
async def test_a_large_text_waits_on_disk_for_a_peer_that_does_not_read(
    full_disk: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P15: it comes whole and before the next one, and pongs come between its fragments."""
    kept: list[int] = []

    def keep(data: bytes) -> Any:
        kept.append(len(data))
        if full_disk:
            raise OSError(errno.ENOSPC, "full")
        return spool.written(data)

    monkeypatch.setattr(stalls, "written", keep)
    async with connected(large) as (reader, writer):
        writer.write(HANDSHAKE + b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(masked(b"!", 9))
        async with asyncio.timeout(5):
            while not kept:  # noqa: ASYNC110 - it has no event for us
                await asyncio.sleep(0.01)
        frames = await read_frames(reader, b"small")
    data = [payload for head, payload in frames if head & 15 in (0, 1)]
    assert b"".join(data[:-1]).decode() == LARGE_TEXT
    assert [head for head, _ in frames if head & 15 == 1] == [1, 0x81]
    assert (0x8A, b"!") in frames
    assert 0 < sum(kept) < len(LARGE_TEXT.encode())
