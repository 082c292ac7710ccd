"""Several watchers of one conversation: subscriptions, conversation streams, busy policies."""

import asyncio
from collections.abc import Callable
from functools import partial

import httpx
import pytest

from tests.live.clients import Rest, Sse, WebSocket, text_of
from tests.live.raw import until
from tests.live.server import Server

SLOW = "[[upstream tokens=400 delay=10]]"


def words(count: int) -> str:
    return "".join(f"w{i} " for i in range(count))


async def test_a_subscriber_sees_what_another_tab_asks(server: Server, ws: WebSocket) -> None:
    """S2-18: two clients receive the same stream."""
    first = await ws.ask("hello [[upstream tokens=3]]")
    conversation = first[0]["conversationId"]
    async with await WebSocket.open(server.ws_url, server.keys.acme) as other:
        await other.send(type="subscribe", conversationId=conversation, id="s1")
        answer = await other.until("subscribed")
        assert answer == {"type": "subscribed", "conversationId": conversation, "replyTo": "s1"}
        mine = await ws.ask("again [[upstream tokens=30 delay=2]]", conversationId=conversation)
        await other.until("done")
        theirs = [event for event in other.events if "seq" in event]
        assert theirs == [event for event in mine if "seq" in event]
        await other.send(type="unsubscribe", conversationId=conversation)
        await ws.ask("third [[upstream tokens=3]]", conversationId=conversation)
        await other.send(type="ping", id="p")
        assert (await other.next()) == {"type": "pong", "replyTo": "p"}


async def test_a_subscription_begins_with_a_snapshot_of_the_active_run(
    server: Server, ws: WebSocket
) -> None:
    await ws.send(type="message", content="hello [[upstream tokens=60 delay=5]]")
    started = await ws.until("run_started")
    await ws.until("token", where=lambda event: event["index"] == 10)
    async with await WebSocket.open(server.ws_url, server.keys.acme) as other:
        await other.send(type="subscribe", conversationId=started["conversationId"])
        assert (await other.until("subscribed"))["activeRunId"] == started["runId"]
        snapshot = await other.until("snapshot")
        await other.until("done")
    tail = text_of([e for e in other.events if e.get("seq", 0) > snapshot["lastSeq"]])
    assert snapshot["message"]["content"] + tail == words(60)


async def test_a_subscriber_is_told_of_the_end_of_its_conversation(
    server: Server, ws: WebSocket, rest: Rest
) -> None:
    """Over both transports, and its socket stays good for others."""
    conversation = (await ws.ask("go [[upstream tokens=2]]"))[0]["conversationId"]
    url = f"{server.url}/api/conversations/{conversation}/messages?stream=true"
    async with (
        await WebSocket.open(server.ws_url, server.keys.acme) as other,
        await Sse.open(url, server.keys.acme, method="GET") as stream,
    ):
        await other.send(type="subscribe", conversationId=conversation)
        await other.until("subscribed")
        deleted = await rest.request("DELETE", f"/api/conversations/{conversation}")
        assert deleted.status_code == 204
        error = await other.until("error")
        assert error["code"] == "conversation_not_found"
        assert error["details"] == {"conversationId": conversation}
        assert stream.status == 200
        assert [event async for event in stream] == []
        assert (await other.ask("go [[upstream tokens=2]]"))[-1]["reason"] == "complete"


@pytest.mark.embedded  # its sweeps are too fast for a worker's heart
async def test_the_expired_events_of_one_run_do_not_end_the_others(
    make_server: Callable[..., Server],
) -> None:
    """P3: of a run that waited, was cancelled and is no longer kept there comes a snapshot."""
    server = make_server(CLAW_LOG_RETENTION="0.2", CLAW_RUN_LEASE="0.3")
    authorization = {"Authorization": f"Bearer {server.keys.acme}"}
    async with await WebSocket.open(server.ws_url, server.keys.acme) as ws:
        await ws.send(type="message", content=f"go {SLOW}")
        first = await ws.until("run_started")
        await ws.send(type="message", content="wait", ifBusy="queue")
        second = (await ws.until("run_started"))["runId"]
        await ws.send(type="cancel", runId=second)
        await ws.until("done", where=lambda done: done["runId"] == second)
        kept = {"url": f"{server.url}/api/runs/{second}/events", "headers": authorization}
        await until(lambda: httpx.get(**kept, trust_env=False).status_code == 410)
        name = first["conversationId"]
        url = f"{server.url}/api/conversations/{name}/messages?stream=true"
        async with (
            await WebSocket.open(server.ws_url, server.keys.acme) as other,
            await Sse.open(url, server.keys.acme, method="GET", renamed=True) as stream,
        ):
            await other.send(type="subscribe", conversationId=name)
            gone = await other.until("snapshot", where=lambda shown: shown["runId"] == second)
            assert gone["status"] == "cancelled"
            await ws.send(type="cancel")
            await other.until("done", where=lambda done: done["runId"] == first["runId"])
            async for event in stream:
                if event["type"] == "snapshot" and event["runId"] == second:
                    break
            done = [event["runId"] for event in stream.events if event["type"] == "done"]
            assert done == [first["runId"]]


async def test_a_subscriber_that_asks_itself_gets_each_event_once(
    server: Server, ws: WebSocket
) -> None:
    conversation = (await ws.ask("hello [[upstream tokens=3]]"))[0]["conversationId"]
    await ws.send(type="subscribe", conversationId=conversation)
    await ws.until("subscribed")
    events = await ws.ask("again [[upstream tokens=20]]")
    assert [event["index"] for event in events if event["type"] == "token"] == list(range(20))
    await ws.send(type="ping")
    assert (await ws.next())["type"] == "pong"


async def test_strangers_cannot_subscribe(server: Server, ws: WebSocket) -> None:
    """P24, P25."""
    conversation = (await ws.ask("hello [[upstream tokens=3]]"))[0]["conversationId"]
    async with await WebSocket.open(server.ws_url, server.keys.globex) as stranger:
        for name in (conversation, "conv_missing"):
            await stranger.send(type="subscribe", conversationId=name)
            assert (await stranger.until("error"))["code"] == "conversation_not_found"


async def test_merged_tokens_add_up(server: Server, ws: WebSocket) -> None:
    run = (await ws.ask("hello [[upstream tokens=200 coalesce=1]]"))[0]["runId"]
    await ws.send(type="resume", runId=run, lastSeq=0, merge=True)
    await ws.until("done")
    events = ws.events[-[e["type"] for e in ws.events[::-1]].index("run_started") - 1 :]
    tokens = [event for event in events if event["type"] == "token"]
    assert text_of(tokens) == words(200)
    assert len(tokens) < 20
    position = 0
    for token in tokens:
        assert token["index"] == position
        position += token.get("count", 1)


async def test_the_conversation_route_streams_with_its_own_names(
    server: Server, rest: Rest
) -> None:
    """S3-01, S3-02."""
    made = (await rest.post("/api/conversations", {})).json()
    url = f"{server.url}/api/conversations/{made['id']}/messages"
    body = {"content": "hello [[upstream tokens=5]]", "stream": True}
    async with await Sse.open(url, server.keys.acme, body=body, renamed=True) as stream:
        events = await stream.read()
    assert "".join(event["token"] for event in events if event["type"] == "token") == words(5)
    assert events[-1]["type"] == "done"
    assert events[-1]["usage"]["total"] == events[-1]["usage"]["totalTokens"]
    assert "cost" in events[-1]
    answer = await rest.post(
        f"/api/conversations/{made['id']}/messages", {"content": "again [[upstream tokens=2]]"}
    )
    assert answer.json()["content"] == words(2)
    assert len(await rest.messages(made["id"])) == 4


async def test_the_conversation_route_follows_and_stays_open(server: Server, rest: Rest) -> None:
    made = (await rest.post("/api/conversations", {})).json()
    url = f"{server.url}/api/conversations/{made['id']}/messages"
    follow = partial(Sse.open, f"{url}?stream=true", server.keys.acme, method="GET", renamed=True)
    async with await follow() as follower:
        events = aiter(follower)
        for text in ("one", "two"):
            sent = await rest.post(
                f"/api/conversations/{made['id']}/messages", {"content": f"{text} [[upstream]]"}
            )
            assert sent.status_code == 200
            async for event in events:
                if event["type"] == "done":
                    break
        runs = [event["runId"] for event in follower.events if event["type"] == "run_started"]
        assert len(runs) == 2
        position = follower.last_id
    await rest.post(f"/api/conversations/{made['id']}/messages", {"content": "three [[upstream]]"})
    async with await follow(headers={"Last-Event-ID": position}) as stream:
        async for event in stream:
            if event["type"] == "done":
                break
    assert stream.status == 200
    assert {event["runId"] for event in stream.events}.isdisjoint(runs)


async def test_a_second_message_waits_its_turn(ws: WebSocket) -> None:
    await ws.send(type="message", content="one [[upstream tokens=30 first=2000]]")
    conversation = (await ws.until("run_started"))["conversationId"]
    await ws.send(type="message", content="two [[upstream tokens=3]]")
    second = await ws.until("run_started")
    assert (second["queued"], second["conversationId"]) == (1, conversation)
    done = [await ws.until("done"), await ws.until("done")]
    assert done[1]["runId"] == second["runId"]


async def test_reject_refuses_while_an_answer_runs(ws: WebSocket, rest: Rest) -> None:
    await ws.send(type="message", content=SLOW)
    started = await ws.until("run_started")
    conversation = started["conversationId"]
    await ws.send(type="message", content="two", ifBusy="reject", id=7)
    refused = await ws.until("error")
    assert (refused["code"], refused["replyTo"]) == ("conversation_busy", 7)
    body = {"message": "two", "conversationId": conversation, "ifBusy": "reject"}
    assert (await rest.post("/api/chat", body)).status_code == 409
    await ws.send(type="cancel")
    await ws.until("done")


async def test_interrupt_stops_the_answer_and_asks(ws: WebSocket) -> None:
    await ws.send(type="message", content=SLOW)
    first = await ws.until("run_started")
    await ws.until("token")
    await ws.send(type="message", content="now [[upstream tokens=4]]", ifBusy="interrupt")
    cancelled = await ws.until("cancelled")
    assert cancelled["runId"] == first["runId"]
    complete = await ws.until("message_complete")
    assert complete["content"] == words(4)


async def test_at_most_ten_wait_and_each_can_be_cancelled(ws: WebSocket, rest: Rest) -> None:
    await ws.send(type="message", content=SLOW)
    conversation = (await ws.until("run_started"))["conversationId"]
    for place in range(1, 11):
        await ws.send(type="message", content=f"{place} [[upstream tokens=1]]")
        assert (await ws.until("run_started"))["queued"] == place
    await ws.send(type="message", content="eleven")
    assert (await ws.until("error"))["code"] == "conversation_busy"
    waiting = [event["runId"] for event in ws.events if event["type"] == "run_started"][1:]
    await ws.send(type="cancel", runId=waiting[4])
    done = await ws.until("done")
    assert (done["runId"], done["reason"]) == (waiting[4], "cancelled")
    told = await rest.post(f"/api/conversations/{conversation}/cancel")
    assert len(told.json()["cancelled"]) == 10
    for _ in range(10):
        assert (await ws.until("done"))["reason"] == "cancelled"
    history = await rest.messages(conversation)
    assert {message["status"] for message in history if message["role"] == "assistant"} == {
        "cancelled"
    }


async def test_only_admin_cancels_the_organisation(server: Server, ws: WebSocket) -> None:
    """X-13."""
    # Before the answer begins: a command takes a while, and longer where all cores are busy.
    made = server.manage("create_api_key", "--agent", "acme-agent", "--scopes", "admin", "--json")
    await ws.send(type="message", content=SLOW)
    await ws.until("token")
    async with Rest(server.url, server.keys.acme) as plain:
        assert (await plain.post("/api/runs/cancel")).status_code == 403
    async with Rest(server.url, httpx.Response(200, text=made).json()["apiKey"]) as admin:
        assert (await admin.post("/api/runs/cancel")).status_code == 202
    assert (await ws.until("done"))["reason"] == "cancelled"


async def test_an_erased_conversation_ends_its_answers_and_disturbs_nothing_else(
    server: Server, ws: WebSocket, rest: Rest
) -> None:
    await ws.send(type="message", content=SLOW, conversationId="kept")
    other = (await ws.until("run_started"))["runId"]
    await ws.send(type="message", content=SLOW, conversationId="erased")
    run = (await ws.until("run_started"))["runId"]
    url = f"{server.url}/api/runs/{run}/events"
    async with await Sse.open(url, server.keys.acme, method="GET") as stream:
        await stream.read(tokens=1)
        assert (await rest.request("DELETE", "/api/conversations/erased")).status_code == 204
        assert [event["type"] for event in await stream.read()][-2:] == ["cancelled", "done"]
    assert (await ws.until("done"))["runId"] == run
    assert [event["type"] for event in ws.events if event.get("runId") == run][-2:] == [
        "cancelled",
        "done",
    ]
    await ws.send(type="cancel", runId=other)
    assert (await ws.until("done"))["runId"] == other


@pytest.fixture
def narrow(make_server: Callable[..., Server]) -> Server:
    return make_server(
        CLAW_MAX_CONNECTIONS_PER_AGENT="5",
        CLAW_MAX_STREAMS_PER_AGENT="2",
        CLAW_MAX_ACTIVE_RUNS="3",
        CLAW_MAX_UNAUTHENTICATED_PER_ADDRESS="4",
        CLAW_FAILED_AUTH_PER_MINUTE="3",
    )


async def test_connections_are_counted_exactly(narrow: Server) -> None:
    """P17: many at once, exactly as many as allowed; slots are given back."""

    async def attempt() -> WebSocket | None:
        try:
            return await WebSocket.open(
                narrow.ws_url, additional_headers={"Authorization": f"Bearer {narrow.keys.acme}"}
            )
        except OSError:
            return None

    # With the header there is no unauthenticated phase that could be the limit instead.
    sockets = [socket for socket in await asyncio.gather(*(attempt() for _ in range(12))) if socket]
    first = [await socket.next() for socket in sockets]
    assert [event["type"] for event in first].count("auth_ok") == 5
    refused = [event for event in first if event["type"] == "error"]
    assert {event["code"] for event in refused} == {"too_many_connections"}
    assert all(event["retryAfter"] > 0 for event in refused)
    for socket, event in zip(sockets, first, strict=True):
        if event["type"] == "error":
            assert await socket.closed() == 4029
    for socket in sockets:
        await socket.connection.close()
    async with await WebSocket.open(narrow.ws_url, narrow.keys.acme) as again:
        assert again.events[0]["type"] == "auth_ok"


async def test_streams_of_an_agent_are_bounded(narrow: Server) -> None:
    url, body = f"{narrow.url}/api/chat/stream", {"message": SLOW}
    key = narrow.keys.acme
    async with (
        await Sse.open(url, key, body=body) as one,
        await Sse.open(url, key, body=body) as two,
        await Sse.open(url, key, body=body) as three,
    ):
        assert (one.status, two.status, three.status) == (200, 200, 429)
        one.cut()
        async with Rest(narrow.url, key) as rest:
            await rest.post("/api/conversations", {})
        async with asyncio.timeout(10):
            while True:
                async with await Sse.open(url, key, body=body) as again:
                    if again.status != 429:
                        break


@pytest.mark.embedded  # scaled out, the queue has room
async def test_a_full_process_says_unavailable(narrow: Server) -> None:
    async with (
        await WebSocket.open(narrow.ws_url, narrow.keys.acme) as socket,
        Rest(narrow.url, narrow.keys.globex) as rest,
    ):
        for _ in range(3):
            await socket.send(type="chat", messages=[{"role": "user", "content": SLOW}])
            await socket.until("run_started")
        await socket.send(type="chat", messages=[{"role": "user", "content": SLOW}])
        assert (await socket.until("error"))["code"] == "unavailable"
        answer = await rest.post("/api/chat", {"message": "hi"})
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        await socket.send(type="cancel")
        for _ in range(3):
            await socket.until("done")


async def test_wrong_credentials_are_limited_and_right_ones_never(narrow: Server) -> None:
    """P23."""
    async with Rest(narrow.url, "claw_live_wrong_000000") as wrong:
        codes = [(await wrong.get("/api/conversations")).status_code for _ in range(5)]
        assert codes == [401, 401, 401, 429, 429]
        answer = await wrong.get("/api/conversations")
        assert 0 < answer.json()["error"]["retryAfter"] <= 60_000
    async with await WebSocket.open(narrow.ws_url) as socket:
        await socket.send(type="auth", token="wrong")
        assert (await socket.until("error"))["code"] == "rate_limited"
        assert await socket.closed() == 4001
        assert socket.connection.close_reason == "rate_limited"
    async with Rest(narrow.url, narrow.keys.acme) as right:
        assert (await right.get("/api/conversations")).status_code == 200


async def test_strangers_of_one_address_are_bounded(narrow: Server) -> None:
    sockets = [await WebSocket.open(narrow.ws_url) for _ in range(4)]
    async with await WebSocket.open(narrow.ws_url) as fifth:
        assert (await fifth.until("error"))["code"] == "too_many_connections"
        assert await fifth.closed() == 4029
    for socket in sockets:
        await socket.connection.close()
