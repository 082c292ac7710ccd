"""Starting runs, and the streams that show them."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest
import websockets

from tests.live.clients import Rest, Sse, WebSocket
from tests.live.server import Server

SETTINGS = {"CLAW_MAX_MESSAGES_PER_MINUTE": "1000"}
STALLING = "Hello [[upstream tokens=9 mode=stall at=3]]"


async def test_a_stream_without_a_place_starts_no_run(make_server: Callable[..., Server]) -> None:
    server = make_server(CLAW_MAX_STREAMS_PER_AGENT="1")
    url, key, body = f"{server.url}/api/chat/stream", server.keys.acme, {"message": STALLING}
    async with Rest(server.url, key) as rest, await Sse.open(url, key, body=body) as first:
        async with await Sse.open(url, key, body=body) as second:
            assert second.status == 429
        listed = (await rest.get("/api/conversations")).json()
        assert len(listed["conversations"]) == 1
        assert (await first.read(3))[-1]["index"] == 2


@pytest.mark.parametrize("path", ["/api/chat/stream", "/api/conversations/mine/messages"])
async def test_a_client_that_leaves_takes_its_run_with_it_if_it_said_so(
    path: str, server: Server, rest: Rest
) -> None:
    """P11: on both addresses that start a run and stream it."""
    if "mine" in path:
        assert (await rest.post("/api/conversations", {"id": "mine"})).status_code == 201
    field = "content" if "mine" in path else "message"
    body = {field: STALLING, "stream": True, "onDisconnect": "cancel"}
    opening = Sse.open(server.url + path, server.keys.acme, body=body, renamed="mine" in path)
    async with await opening as stream:
        run_id = (await stream.read(3))[0]["runId"]
        stream.cut()
    url = f"{server.url}/api/runs/{run_id}/events"
    async with await Sse.open(url, server.keys.acme, method="GET") as watcher:
        assert (await watcher.read())[-1]["reason"] == "cancelled"


async def test_a_stream_between_two_answers_leaves_with_the_server(
    make_server: Callable[..., Server],
) -> None:
    """P8: whatever it waits for, its end is no error."""
    server = make_server()
    async with Rest(server.url, server.keys.acme) as rest:
        assert (await rest.post("/api/conversations", {"id": "mine"})).status_code == 201
    url = f"{server.url}/api/chat/stream?conversationId=mine"
    async with (
        await Sse.open(url, server.keys.acme, method="GET") as stream,
        await WebSocket.open(server.ws_url, server.keys.acme) as socket,
    ):
        await socket.ask("hello [[upstream tokens=3]]", conversationId="mine")
        events = aiter(stream)
        while (await anext(events))["type"] != "done":
            pass
        server.terminate()
        assert [event async for event in events] == []
    assert await asyncio.to_thread(server.wait) == 0
    assert "Traceback" not in server.log


async def test_who_waits_for_an_answer_that_has_not_begun_is_told_when_the_server_leaves(
    make_server: Callable[..., Server],
) -> None:
    """P8: the run is accepted, and the next process carries it out."""
    server = make_server(CLAW_SHUTDOWN_GRACE="1")
    body = {"message": "again [[upstream tokens=3]]", "conversationId": "mine"}
    async with (
        await WebSocket.open(server.ws_url, server.keys.acme) as socket,
        Rest(server.url, server.keys.acme) as rest,
    ):
        await socket.send(type="message", content=STALLING, conversationId="mine")
        await socket.until("token")
        await socket.send(type="subscribe", conversationId="mine")
        asking = asyncio.create_task(rest.post("/api/chat", body))
        await socket.until("run_started", where=lambda event: event.get("queued") == 1)
        server.terminate()
        answer = await asking
    assert await asyncio.to_thread(server.wait) == 0
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert "Traceback" not in server.log
    run_id = answer.json()["error"]["details"]["runId"]
    url = f"{server.start().url}/api/runs/{run_id}/events"
    async with await Sse.open(url, server.keys.acme, method="GET") as stream:
        assert (await stream.read())[-1]["reason"] == "complete"


async def test_what_a_socket_asks_while_the_server_leaves_is_no_error(
    make_server: Callable[..., Server],
) -> None:
    """P8: frames that cross with the close are answered by nobody."""
    server = make_server()
    busy = asyncio.Event()
    sockets = [await WebSocket.open(server.ws_url, server.keys.acme) for _ in range(20)]

    async def nag(socket: WebSocket) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await socket.send(type="resume", runId="run_none")
                await socket.send(type="auth", token=server.keys.acme)
                await socket.next()
                if len(socket.events) > 20:
                    busy.set()

    nagging = [asyncio.create_task(nag(socket)) for socket in sockets]
    await busy.wait()
    server.terminate()
    await asyncio.gather(*nagging)
    assert await asyncio.to_thread(server.wait) == 0
    assert "Traceback" not in server.log


async def test_subscribers_that_ask_at_the_same_time_get_each_event_once(
    server: Server, rest: Rest
) -> None:
    """P2: the subscription finds a socket's own runs, too, before or after the asking returns."""
    assert (await rest.post("/api/conversations", {"id": "busy"})).status_code == 201
    runs = await asyncio.gather(*(ask_and_subscribe(server, "busy") for _ in range(3)))
    assert runs[0] == runs[1] == runs[2]


async def ask_and_subscribe(server: Server, name: str) -> dict[str, int]:
    """The last position of every run in the conversation; three sockets ask twenty times each."""
    last: dict[str, int] = {}
    ended = 0
    async with await WebSocket.open(server.ws_url, server.keys.acme) as socket:
        await socket.send(type="subscribe", conversationId=name)
        await socket.until("subscribed")
        for _ in range(20):
            content = "hello [[upstream tokens=2]]"
            await socket.send(
                type="message", content=content, conversationId=name, ifBusy="interrupt"
            )
        while ended < 60:
            event = await socket.next()
            if "seq" in event:
                assert event["seq"] > last.get(event["runId"], 0), f"{event} came twice"
                last[event["runId"]] = event["seq"]
            ended += event["type"] == "done"
    return last
