"""Corners of the contract that somebody found by trying to break it."""

import asyncio

from tests.live.clients import Rest, Sse, WebSocket
from tests.live.raw import new_tag
from tests.live.server import Server
from tests.upstream.process import UpstreamProcess


async def test_the_conversation_route_resumes_and_starts_nothing(
    server: Server, rest: Rest, upstream: UpstreamProcess
) -> None:
    """P2: the same request again, with a position."""
    made, tag = (await rest.post("/api/conversations", {})).json(), new_tag()
    url = f"{server.url}/api/conversations/{made['id']}/messages?stream=true"
    body = {"content": f"hi [[upstream tokens=20 delay=2 tag={tag}]]"}
    async with await Sse.open(url, server.keys.acme, body=body, renamed=True) as first:
        await first.read(tokens=5)
        first.cut()
    position = {"Last-Event-ID": first.last_id}
    key = server.keys.acme
    async with await Sse.open(url, key, body=body, headers=position, renamed=True) as second:
        await second.read()
    tokens = [event["token"] for event in first.events + second.events if "token" in event]
    assert "".join(tokens) == "".join(f"w{i} " for i in range(20))
    assert upstream.stats(tag)["streams"] == 1
    wrong = {"Last-Event-ID": "garbage"}
    async with await Sse.open(url, server.keys.acme, body=body, headers=wrong) as refused:
        assert refused.status == 400


async def test_who_only_attached_does_not_cancel(server: Server, ws: WebSocket) -> None:
    """P11: the run is whoever's who started it."""
    ask = {"content": "hi [[upstream tokens=60 delay=10]]", "clientMessageId": new_tag()}
    await ws.send(type="message", onDisconnect="cancel", **ask)
    await ws.until("token")
    async with await WebSocket.open(server.ws_url, server.keys.acme) as other:
        await other.send(type="message", **ask)
        await other.until("token")
        await other.send(type="cancel")
        await other.send(type="ping")
        await other.until("pong")
    assert (await ws.until("done"))["reason"] == "complete"


async def test_who_waits_for_a_run_of_another_does_not_cancel_it(server: Server) -> None:
    body = {
        "message": "hi [[upstream tokens=60 delay=10]]",
        "clientMessageId": new_tag(),
        "onDisconnect": "cancel",
    }
    async with Rest(server.url, server.keys.acme) as one, Rest(server.url, server.keys.acme) as two:
        waiting = asyncio.create_task(one.post("/api/chat", body))
        async with await Sse.open(
            f"{server.url}/api/chat/stream", server.keys.acme, body=body
        ) as watching:
            await watching.read(tokens=3)
            leaving = asyncio.create_task(two.post("/api/chat", body))
            await watching.read(tokens=10)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
            assert (await watching.read())[-1]["type"] == "done"
        assert (await waiting).json()["stopReason"] == "end_turn"


async def test_refused_messages_do_not_count(server: Server, ws: WebSocket) -> None:
    await ws.send(type="message", content="hi [[upstream tokens=400 delay=10]]")
    await ws.until("token")
    for _ in range(32):
        await ws.send(type="message", content="again", ifBusy="reject")
        assert (await ws.until("error"))["code"] == "conversation_busy"
    await ws.send(type="cancel")
    await ws.until("done")


async def test_a_change_without_a_title_changes_nothing(rest: Rest) -> None:
    made = (await rest.post("/api/conversations", {"title": "Hello"})).json()
    changed = await rest.request("PATCH", f"/api/conversations/{made['id']}", json={})
    assert changed.json()["title"] == "Hello"
