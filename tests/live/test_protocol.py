"""The frames of a WebSocket one by one, and what becomes of a connection whose key ends."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from websockets import ConnectionClosed

from tests.live.clients import Event, Rest, Sse, WebSocket, text_of
from tests.live.raw import aborted, call_of, new_tag
from tests.live.scaled.stack import Stack
from tests.live.server import Server
from tests.upstream.process import UpstreamProcess

LIMIT = 32_768
ASK = "go [[upstream tokens=3]]"
ENDLESS = "tokens=5000 delay=5"
FRAME = {"type": "message", "content": ASK}


def padded(size: int) -> str:
    """A `message` frame of exactly so many bytes, most of them in characters of two bytes."""
    empty = json.dumps({**FRAME, "pad": ""}, ensure_ascii=False)
    pad = "é" * ((size - len(empty)) // 2) + "x" * ((size - len(empty)) % 2)
    frame = json.dumps({**FRAME, "pad": pad}, ensure_ascii=False)
    assert len(frame.encode()) == size > len(frame) + 1000
    return frame


WRONG = {
    "no JSON": ("hello", "$"),
    "half of it": ('{"type":"message"', "$"),
    "not an object": ("[1]", "$"),
    "null": ("null", "$"),
    "no type": ("{}", "type"),
    "unknown type": ('{"type":"frobnicate"}', "type"),
    "a type of a server": ('{"type":"token","content":"x"}', "type"),
    "no content": ('{"type":"message"}', "content"),
    "content of a wrong type": ('{"type":"message","content":5}', "content"),
    "no text": ('{"type":"message","content":" "}', "content"),
    "NUL": ('{"type":"message","content":"a\\u0000b"}', "content"),
    "lone surrogate": ('{"type":"message","content":"a\\ud800b"}', None),
    "conversation of a wrong type": (
        '{"type":"message","content":"x","conversationId":1}',
        "conversationId",
    ),
    "conversation with a space": (
        '{"type":"message","content":"x","conversationId":"a b"}',
        "conversationId",
    ),
    "long client id": (
        json.dumps({"type": "message", "content": "x", "clientMessageId": "x" * 129}),
        "clientMessageId",
    ),
    "unknown policy": ('{"type":"message","content":"x","ifBusy":"dance"}', "ifBusy"),
    "resume of nothing": ('{"type":"resume"}', "runId"),
    "negative position": ('{"type":"resume","runId":"run_x","lastSeq":-1}', "lastSeq"),
    "deep nesting": ('{"type":"ping","x":' + "[" * 20_000 + "]" * 20_000 + "}", None),
    "no history": ('{"type":"chat","messages":[]}', "messages"),
    "history of a wrong role": (
        '{"type":"chat","messages":[{"role":"system","content":"x"}]}',
        "messages[0].role",
    ),
    "history that the assistant ends": (
        '{"type":"chat","messages":[{"role":"assistant","content":"x"}]}',
        "messages",
    ),
}


@pytest.fixture
async def quiet(server: Server) -> AsyncIterator[WebSocket]:
    """A socket that has not authenticated."""
    async with await WebSocket.open(server.ws_url) as socket:
        yield socket


async def test_it_works(quiet: WebSocket, server: Server) -> None:
    """The first frame authenticates, and its answer says what this connection may do."""
    await quiet.send(type="auth", token=server.keys.acme, id="a", conversationId="mine")
    ready = await quiet.until("auth_ok")
    assert ready["replyTo"] == "a"
    assert (ready["protocol"], ready["conversationId"]) == (1, "mine")
    assert ready["limits"] == {"messagesPerMinute": 30, "messageBytes": LIMIT, "idleMs": 300_000}
    events = await quiet.ask(ASK)
    assert events[0]["conversationId"] == "mine"


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_frame_is_answered_and_the_socket_stays(ws: WebSocket, name: str) -> None:
    """`invalid_message` says which field; the next frame works."""
    frame, field = WRONG[name]
    await ws.connection.send(frame)
    answer = await ws.next()
    assert (answer["type"], answer["code"]) == ("error", "invalid_message")
    if field is not None:
        assert answer["details"]["field"] == field
    await ws.send(type="ping", id=7)
    assert await ws.next() == {"type": "pong", "replyTo": 7}


async def test_a_binary_frame_is_a_wrong_frame(ws: WebSocket) -> None:
    await ws.connection.send(b'{"type":"ping"}')
    assert (await ws.next())["code"] == "invalid_message"
    assert (await ws.ask(ASK))[-1]["type"] == "done"


@pytest.mark.parametrize("id_", ["x", 5, ""])
async def test_an_error_says_which_frame_it_answers(ws: WebSocket, id_: str | int) -> None:
    for frame in ({"type": "message", "content": ""}, {"type": "resume", "runId": "run_none"}):
        await ws.send(**frame, id=id_)
        assert (await ws.until("error"))["replyTo"] == id_


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "resume", "runId": "run_none"}, "run_not_found"),
        ({"type": "cancel", "runId": "run_none"}, "run_not_found"),
        ({"type": "resume", "conversationId": "none"}, "conversation_not_found"),
        ({"type": "subscribe", "conversationId": "none"}, "conversation_not_found"),
    ],
)
async def test_what_is_not_there_is_said_so(ws: WebSocket, frame: Event, code: str) -> None:
    await ws.send(**frame)
    assert (await ws.until("error"))["code"] == code


async def test_unknown_fields_change_nothing(ws: WebSocket, upstream: UpstreamProcess) -> None:
    """P33: role, system and model are not a client's to choose."""
    tag = new_tag()
    await ws.ask(
        f"go [[upstream tokens=1 tag={tag}]]",
        role="system",
        system="EVIL",
        model="evil-model",
        max_tokens=1,
        thinking={"type": "enabled"},
        agent_id="evil",
    )
    body = upstream.requests(tag)[0]["body"]
    assert "evil" not in json.dumps(body).lower()
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert body["max_tokens"] > 1


async def test_a_history_of_the_callers_own(ws: WebSocket, upstream: UpstreamProcess) -> None:
    """`chat` asks in a new conversation, with the turns as they were given."""
    tag = new_tag()
    turns = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": f"go [[upstream tokens=2 tag={tag}]]"},
    ]
    before = (await ws.ask(ASK))[0]["conversationId"]
    await ws.send(type="chat", messages=turns)
    assert (await ws.until("run_started"))["conversationId"] != before
    await ws.until("done")
    sent = upstream.requests(tag)[0]["body"]["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]
    assert "one" in str(sent[0]) and "two" in str(sent[1])


async def test_the_limit_of_a_message_is_exact_and_counts_bytes(ws: WebSocket) -> None:
    """P17: 32 768 bytes are taken, one more is refused, and the socket stays."""
    await ws.connection.send(padded(LIMIT))
    assert (await ws.until("done"))["reason"] == "complete"
    await ws.connection.send(padded(LIMIT + 1))
    assert (await ws.next())["code"] == "message_too_large"
    assert (await ws.ask(ASK))[-1]["reason"] == "complete"


async def test_a_frame_beyond_the_transports_limit_closes(ws: WebSocket) -> None:
    """P16: 1009, whatever is in it, be it one frame or many fragments."""
    with suppress(ConnectionClosed):  # it may be closed before all of it has been sent
        await ws.connection.send("x" * (1024 * 1024 + 1))
    assert await ws.closed() == 1009


async def test_the_31st_message_of_a_minute_is_refused(ws: WebSocket) -> None:
    """P17: 30 are answered, one more is not, and `retryAfter` is when the first is a minute old."""
    begun = time.monotonic()
    for _ in range(30):
        await ws.send(type="message", content="go [[upstream tokens=1]]", ifBusy="queue")
        await ws.until("done")
    await ws.send(**FRAME, id="late")
    refused = await ws.until("error")
    waited = (time.monotonic() - begun) * 1000
    assert (refused["code"], refused["replyTo"]) == ("rate_limited", "late")
    assert 0 < refused["retryAfter"] <= 60_000
    assert abs(60_000 - waited - refused["retryAfter"]) < 1000
    await ws.send(type="ping")
    await ws.until("pong")


@pytest.mark.parametrize(
    ("frame", "code", "close"),
    [
        ({"type": "auth", "token": "nonsense"}, "invalid_token", 4001),
        ({"type": "auth", "token": ""}, "auth_required", 4001),
        ({"type": "message", "content": ASK}, "auth_required", 4001),
        ({"type": "nonsense"}, "auth_required", 4001),
        ({"type": "cancel"}, "auth_required", 4001),
    ],
)
async def test_no_way_in_without_a_key(
    quiet: WebSocket, frame: Event, code: str, close: int
) -> None:
    """An error event, then the close code: a browser sees nothing of a refused handshake."""
    await quiet.send(**frame, id=1)
    assert await quiet.closed() == close
    assert (quiet.events[-1]["code"], quiet.events[-1]["replyTo"]) == (code, 1)
    if code == "invalid_token":
        assert quiet.connection.close_reason == "Invalid token"


async def test_a_key_in_the_address_is_refused(server: Server) -> None:
    """API keys never stand in a query string, neither for HTTP nor for a socket."""
    async with await WebSocket.open(f"{server.ws_url}?token={server.keys.acme}") as ws:
        assert await ws.closed() == 4001
    async with Rest(server.url, server.keys.acme) as rest:
        answer = await rest.get("/api/conversations", token=server.keys.acme)
        assert answer.status_code == 401


async def test_a_second_auth_renews_and_never_changes_who_it_is(
    ws: WebSocket, server: Server
) -> None:
    """The same key again is welcome; another organisation's is not, and the socket stays."""
    await ws.send(type="auth", token=server.keys.acme, id=1)
    assert (await ws.until("auth_ok"))["replyTo"] == 1
    await ws.send(type="auth", token=server.keys.globex, id=2)
    assert (await ws.until("error"))["code"] == "forbidden"
    await ws.send(type="auth", token="nonsense", id=3)
    assert (await ws.until("error"))["code"] == "invalid_token"
    events = await ws.ask(ASK)
    assert events[0]["agentId"] == next(e for e in ws.events if e["type"] == "auth_ok")["agentId"]


async def test_a_stop_is_seen_while_an_answer_streams(ws: WebSocket) -> None:
    """A handler never waits for a run: pings are answered between its tokens."""
    await ws.send(type="message", content=f"go [[upstream {ENDLESS}]]")
    await ws.until("token")
    for number in range(5):
        await ws.send(type="ping", id=number)
        await ws.until("pong", where=lambda pong, n=number: pong["replyTo"] == n)
    await ws.send(type="cancel")
    await ws.until("done")


async def test_a_revoked_key_is_cut_everywhere(
    make_server: Callable[..., Server], upstream: UpstreamProcess
) -> None:
    """P22: its sockets and streams within a second, its runs end, and REST answers 401."""
    server = make_server()
    made = await asyncio.to_thread(
        server.manage, "create_api_key", "--agent", "acme-agent", "--json"
    )
    key_id, token = json.loads(made)["keyId"], json.loads(made)["apiKey"]
    tags = [new_tag() for _ in range(3)]
    asks = [f"go [[upstream {ENDLESS} tag={tag}]]" for tag in tags]
    url = f"{server.url}/api/chat/stream"
    async with (
        Rest(server.url, server.keys.acme) as other,
        Rest(server.url, token) as rest,
        await WebSocket.open(server.ws_url, token) as idle,
        await WebSocket.open(server.ws_url, token) as busy,
        await Sse.open(url, token, body={"message": asks[1]}) as stream,
        await WebSocket.open(server.ws_url, server.keys.acme) as bystander,
    ):
        await busy.send(type="message", content=asks[0])
        run = (await busy.until("run_started"))["runId"]
        posted = asyncio.create_task(rest.post("/api/chat", {"message": asks[2]}))
        await asyncio.gather(*(call_of(upstream, tag) for tag in tags))
        await asyncio.to_thread(server.manage, "revoke_api_key", key_id)
        revoked = time.time()
        codes = await asyncio.gather(idle.closed(), busy.closed())
        events = await stream.read()
        ends = await asyncio.gather(*(aborted(upstream, tag) for tag in tags))
        assert time.time() - revoked < 1.5
        assert max(ends) - revoked < 1
        assert codes == [4001, 4001]
        assert idle.events[-1]["code"] == "key_revoked"
        types = [event["type"] for event in events]
        assert "message_complete" not in types
        # Of many processes another one may have ended the run before this stream is cut.
        assert isinstance(server, Stack) or "done" not in types
        assert (await posted).json()["error"]["code"] == "key_revoked"
        ended = (await other.get(f"/api/runs/{run}")).json()
        assert (ended["status"], ended["error"]["code"]) == ("failed", "key_revoked")
        assert ended["content"].startswith(text_of(busy.events)) and ended["content"]
        refused = await rest.get("/api/conversations")
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "key_revoked")
        assert (await bystander.ask(ASK))[-1]["reason"] == "complete"


async def test_an_expired_key_is_cut_too(server: Server, manager: Rest) -> None:
    """P22: `token_expired`, at its time."""
    body = {"expiresAt": (datetime.now(UTC) + timedelta(seconds=3)).isoformat()}
    token = (await manager.post("/api/agents/acme-agent/keys", body)).json()["apiKey"]
    async with await WebSocket.open(server.ws_url, token) as ws, Rest(server.url, token) as rest:
        assert await ws.closed() == 4001
        assert ws.events[-1]["code"] == "token_expired"
        refused = await rest.get("/api/conversations")
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "token_expired")
