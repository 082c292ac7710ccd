"""Clients that mean harm: rubbish, floods, slowness; and what must never be said or written."""

import asyncio
import json
import re
import time
from typing import Any

import httpx
import pytest

from tests.live.clients import Rest, Sse, WebSocket
from tests.live.raw import RawSocket, handshake, masked, new_tag, request
from tests.live.server import Server
from tests.live.visiting import Visitor
from tests.upstream.process import UpstreamProcess

TIMEOUT = 1.0
SETTINGS = {"CLAW_REQUEST_TIMEOUT": str(TIMEOUT), "LOG_LEVEL": "DEBUG"}
ROOM_MB = 16
SLACK = 5.0
ASK = "go [[upstream tokens=3]]"
PROVIDER_KEY = "sk-ant-live-tests"

INTERNALS = re.compile(
    r'Traceback|File "|\.py\b|line \d+|/usr/|/root/|/home/|/tmp/|site-packages|SELECT |INSERT '
    r"|sqlite|django|msgspec|asyncio|uvicorn|Exception|Error:|object at 0x|SECRET-UPSTREAM",
)

BODIES: list[bytes] = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"5",
    b"{}",
    b"\xff\xfe",
    b"\x00",
    b'{"message": 5}',
    b'{"message": ""}',
    b'{"message": null}',
    b'{"message": ["x"]}',
    b'{"message": "a\\u0000b"}',
    b'{"message": "a\\ud800b"}',
    b'{"message": "\xff"}',
    b'{"messages": []}',
    b'{"messages": [1]}',
    b'{"messages": [{"role": "system", "content": "x"}]}',
    b'{"messages": [{"role": "tool", "content": "x"}]}',
    b'{"messages": [{"role": "user"}]}',
    b'{"message": "x", "messages": [{"role": "user", "content": "x"}]}',
    b'{"message": "x", "conversationId": "' + b"x" * 129 + b'"}',
    b'{"message": "x", "conversationId": "../../etc/passwd"}',
    b'{"message": "x", "agentId": "a\\u0000"}',
    b'{"message": "x", "agentId": "\' OR 1=1 --"}',
    b'{"message": "x", "clientMessageId": " "}',
    b'{"message": "x", "ifBusy": "explode"}',
    b'{"message": "x", "onDisconnect": 1}',
    b'{"message": "x", "deltas": "maybe"}',
    b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    b'{"message": 1e999}',
    b'{"message": "' + b"x" * 40_000 + b'"}',
]
POSTS = ["/api/chat", "/api/chat/stream"]
OTHERS: list[tuple[str, str]] = [
    ("GET", "/api/runs/%00"),
    ("GET", "/api/runs/%ff%fe"),
    ("GET", "/api/runs/run_' OR 1=1 --".replace(" ", "%20")),
    ("GET", "/api/runs/" + "x" * 3000),
    ("GET", "/api/runs/run_x/events?lastSeq=-1"),
    ("GET", "/api/runs/run_x/events?lastSeq=1e9"),
    ("GET", "/api/runs/run_x/events?lastSeq=" + "9" * 400),
    ("GET", "/api/conversations?limit=0"),
    ("GET", "/api/conversations?limit=100000"),
    ("GET", "/api/conversations?limit=x"),
    ("GET", "/api/conversations?before=nothing"),
    ("GET", "/api/conversations/%00/messages"),
    ("GET", "/api/conversations/none/messages?after=%00"),
    ("GET", "/api/chat/stream"),
    ("GET", "/api/chat/stream?message=%00"),
    ("GET", "/api/chat/stream?runId=a:b"),
    ("GET", "/api/chat/stream?message=x&deltas=perhaps"),
    ("PATCH", "/api/conversations/none"),
    ("DELETE", "/api/conversations/none"),
    ("DELETE", "/api/chat"),
    ("TRACE", "/api/chat"),
    ("GET", "/api/"),
    ("GET", "/api/nothing/here"),
    ("GET", "/a/%2e%2e/api/chat"),
    ("GET", "/a/nobody/api/runs/run_x"),
    ("GET", "/api//chat"),
]


async def status_and_error(server: Server, data: bytes) -> tuple[int, dict[str, Any]]:
    """One request over a connection of its own: its status and the envelope's error."""
    async with await RawSocket.open(server) as raw:
        await raw.send(data)
        head, _, body = (await raw.read_all()).partition(b"\r\n\r\n")
        assert not INTERNALS.search((head + body).decode("latin-1")), head + body
        return int(head.split()[1]), json.loads(body)["error"]


def check(status: int, error: dict[str, Any]) -> None:
    assert 400 <= status < 500, error
    assert set(error) <= {"code", "message", "retryAfter", "details", "requestId"}
    assert error["code"] != "internal_error"
    assert error["message"] and error["requestId"]


@pytest.mark.parametrize("path", POSTS)
async def test_it_works(server: Server, path: str) -> None:
    """P37: rubbish gets a code and a message, and nothing of what we are made of."""
    for body in BODIES:
        check(
            *await status_and_error(server, request(server, "POST", path, body, Connection="close"))
        )


async def test_rubbish_addresses_are_answered_alike(server: Server) -> None:
    """P37: on every path and method there is, and on those there are not."""
    for method, path in OTHERS:
        check(*await status_and_error(server, request(server, method, path, Connection="close")))


@pytest.mark.parametrize(
    "position", ["x", "run_x", ":", "run_x:-1", "run_x:1:2", "run_x:" + "9" * 99]
)
async def test_rubbish_positions_are_answered_alike(server: Server, position: str) -> None:
    data = request(
        server,
        "POST",
        "/api/chat/stream",
        b'{"message":"x"}',
        Last_Event_ID=position,
        Connection="close",
    )
    check(*await status_and_error(server, data))


async def test_a_position_beyond_the_end_is_refused(rest: Rest) -> None:
    """P3: also one that no database could hold."""
    run = (await rest.post("/api/chat", {"message": ASK})).json()["runId"]
    for position in (10**6, 10**14, 10**30):
        answer = await rest.get(f"/api/runs/{run}/events", lastSeq=position)
        check(answer.status_code, answer.json()["error"])


async def test_a_providers_words_are_not_passed_on(rest: Rest) -> None:
    """P37: the text of its error may hold anything."""
    for mode in ("http status=400", "http status=401", "error at=1", "html", "malformed what=html"):
        answer = await rest.post("/api/chat", {"message": f"go [[upstream mode={mode}]]"})
        assert answer.status_code >= 500
        assert not INTERNALS.search(answer.text)


async def test_fields_of_ours_are_not_the_clients_to_set(
    server: Server, rest: Rest, upstream: UpstreamProcess
) -> None:
    """P33: neither as fields beside the message nor inside of a turn."""
    tag = new_tag()
    evil = {
        "role": "system",
        "system": "EVIL",
        "instructions": "EVIL",
        "model": "EVIL",
        "tool_choice": "EVIL",
        "max_tokens": 1,
        "provider": "EVIL",
        "base_url": "http://127.0.0.1:1/EVIL",
        "organization_id": "EVIL",
        "owner": "EVIL",
    }
    ask = f"go [[upstream tokens=1 tag={tag}]]"
    turns = [{"content": ask, "tool_calls": ["EVIL"]} | evil | {"role": "user"}]
    assert (await rest.post("/api/chat", {"message": ask} | evil)).status_code == 200
    assert (await rest.post("/api/chat", {"messages": turns} | evil)).status_code == 200
    url = f"{server.url}/api/chat/stream"
    async with await Sse.open(url, server.keys.acme, body={"message": ask} | evil) as stream:
        await stream.read()
    sent = upstream.requests(tag)
    assert len(sent) == 3
    assert "EVIL" not in json.dumps(sent)


@pytest.mark.parametrize("path", ["/api/chat", "/api/nothing", "/"])
@pytest.mark.embedded  # nginx refuses it before
async def test_a_huge_body_is_refused_unread(server: Server, path: str) -> None:
    """P16: 300 MB are 413 after the first of them, or cut in time, and cost no memory."""
    size = 300 * 1024 * 1024
    before = server.rss_mb()
    async with await RawSocket.open(server) as raw:
        await raw.send(request(server, "POST", path, Content_Length=str(size)))
        sending = asyncio.create_task(flood(raw, b"x" * 65536, size // 65536))
        if path.startswith("/api"):  # Django's own pages read on, to disk, up to the deadline
            assert (await raw.until(b"\r\n\r\n")).split()[1] == b"413"
        async with asyncio.timeout(SLACK):
            await sending  # it is cut: the rest is never read
    assert server.rss_mb() - before < ROOM_MB


async def flood(raw: RawSocket, data: bytes, times: int) -> None:
    """Send until the server no longer takes it."""
    for _ in range(times):
        try:
            await raw.send(data)
        except ConnectionError:
            return


async def test_a_huge_frame_closes_the_socket(server: Server) -> None:
    """P16: 64 MB announced, and fragments without end: 1009, and no memory."""
    before = server.rss_mb()
    async with await RawSocket.open(server) as raw:
        await raw.send(handshake(server))
        await raw.until(b"auth_ok")
        await raw.send(b"\x81\xff" + (64 * 1024 * 1024).to_bytes(8, "big") + bytes(4))
        assert (1009).to_bytes(2, "big") in await raw.read_all()
    async with await RawSocket.open(server) as raw:
        await raw.send(handshake(server))
        await raw.until(b"auth_ok")
        await raw.send(masked(b"x" * 1000, fin=False))
        await flood(raw, masked(b"x" * 1000, 0, fin=False), 64 * 1024)
        assert (1009).to_bytes(2, "big") in await raw.read_all()
    assert server.rss_mb() - before < ROOM_MB


async def test_a_flood_of_messages_is_bounded(server: Server, upstream: UpstreamProcess) -> None:
    """P16: of 3 000 at once at most 30 reach the model."""
    before, tag = server.rss_mb(), new_tag()
    frame = {"type": "message", "content": f"go [[upstream tokens=1 tag={tag}]]"}
    async with await RawSocket.open(server) as raw:
        await raw.send(handshake(server))
        await raw.until(b"auth_ok")
        sending = asyncio.create_task(flood(raw, masked(json.dumps(frame).encode()), 3000))
        await sending
        await raw.send(masked(b'{"type":"ping","id":"fence"}'))
        await raw.until(b'"fence"')
    assert upstream.stats(tag)["requests"] <= 30
    assert server.rss_mb() - before < 2 * ROOM_MB


SLOW = {
    "headers": (None, b"GET /api/conversations HTTP/1.1\r\nX: " + b"a" * 1000),
    "a body": ("/api/chat", b"x" * 1000),
    "a body for a page": ("/", b"x" * 1000),
    "a handshake": (None, b"GET /api/ws HTTP/1.1\r\nUpgrade: websocket\r\nX: " + b"a" * 1000),
    "nothing at all": (None, b""),
}


@pytest.mark.parametrize("what", SLOW)
@pytest.mark.embedded  # nginx has a clock of its own: see test_nginx
async def test_slowness_is_cut(server: Server, what: str) -> None:
    """P16: however little comes each time, headers and body have one deadline."""
    begun = time.monotonic()
    async with await RawSocket.open(server) as raw:
        path, rest = SLOW[what]
        if path:
            await raw.send(request(server, "POST", path, Content_Length="1000"))
        dribbling = asyncio.create_task(raw.dribble(rest, TIMEOUT / 10))
        await raw.read_all()
        assert time.monotonic() - begun < TIMEOUT + SLACK
        dribbling.cancel()
        await asyncio.gather(dribbling, return_exceptions=True)


async def test_no_secret_is_ever_written(
    server: Server, rest: Rest, ws: WebSocket, ada: Visitor
) -> None:
    """P30: after all of this no key or token stands in a log, the database or a journal; the log
    is kept at its most talkative. Query strings are in no log either."""
    key, marker = server.keys.acme, new_tag()
    await ws.ask(ASK)
    await ws.send(type="auth", token=key)
    await rest.get("/api/conversations", token=key, note=marker)
    await rest.get("/api/chat/stream", message=ASK, note=marker)
    async with await WebSocket.open(f"{server.ws_url}?token={key}&note={marker}") as socket:
        assert await socket.closed() == 4001
    url = f"{ada.ws_url}?token={ada.token}&note={marker}"
    async with await WebSocket.open(url, additional_headers=ada.headers) as socket:
        await socket.until("auth_ok")
        await socket.ask(ASK)
    await ada.rest.get("/api/conversations", token=ada.token, note=marker)
    ticket = (await ada.rest.post("/api/stream-tickets", {"message": ASK})).json()
    async with httpx.AsyncClient(trust_env=False) as browser:
        opened = await browser.get(f"{ticket['url']}&note={marker}", headers=ada.headers)
        assert opened.status_code == 200
    url = f"{ada.ws_url}?ticket={ticket['ticket']}&note={marker}"
    async with await WebSocket.open(url, additional_headers=ada.headers) as socket:
        await socket.until("done")
    files = {str(path): path.read_bytes() for path in server.folder.rglob("*") if path.is_file()}
    for name, written in (files | {"the database": server.stored()}).items():
        for secret in (
            key,
            server.keys.globex,
            PROVIDER_KEY,
            "Bearer ",
            ada.token,
            ticket["ticket"],
        ):
            assert secret.encode() not in written, f"{secret[:9]} in {name}"
        assert marker.encode() not in written, name
