"""Reconnecting: every token once and in order, from every position, over every door (P2, P3)."""

import asyncio
import random
from datetime import datetime
from urllib.parse import quote
from uuid import uuid4

import msgspec
import pytest

from tests.live.clients import Event, Rest, Sse, WebSocket, text_of
from tests.live.server import Server
from tests.live.watching import Watch, check_history, check_run, folded
from tests.upstream import expected_text
from tests.upstream.process import UpstreamProcess
from wire.parse import dumps
from wire.snapshot import snapshot_of

MALFORMED = ["garbage", "run_x", ":5", "run_x:", "run_x:-1", "run_x:1e3", "run_x:" + "9" * 30]
POSITIONS = [1, 47, 199]


def ask(keys: str = "tokens=200 delay=1") -> tuple[str, str, str]:
    """(message, the text that answers it, the tag of its provider calls)."""
    tag = uuid4().hex
    keys = f"{keys} tag={tag}"
    return f"hello [[upstream {keys}]]", expected_text(keys), tag


async def check(watch: Watch, rest: Rest, text: str) -> None:
    check_run(watch.events, text)
    await check_history(rest, watch.events)


@pytest.mark.parametrize("tokens", POSITIONS)
async def test_it_works_after_a_reset(
    server: Server, rest: Rest, upstream: UpstreamProcess, tokens: int
) -> None:
    """P2: a client that posts the same body again goes on where it was, for one provider call."""
    message, text, tag = ask()
    watch = Watch(server)
    await watch.sse({"message": message}, tokens=tokens)
    assert not watch.done
    await watch.sse({"message": message})
    await check(watch, rest, text)
    assert upstream.stats(tag)["requests"] == 1


@pytest.mark.parametrize("tokens", POSITIONS)
async def test_an_eventsource_goes_on_with_the_same_address(
    server: Server, rest: Rest, upstream: UpstreamProcess, tokens: int
) -> None:
    """P2: GET with `?message=`, again with `Last-Event-ID`."""
    message, text, tag = ask()
    path, watch = f"/api/chat/stream?message={quote(message)}", Watch(server)
    await watch.sse(path=path, tokens=tokens)
    await watch.sse(path=path)
    await check(watch, rest, text)
    assert upstream.stats(tag)["requests"] == 1


@pytest.mark.parametrize("tokens", POSITIONS)
async def test_a_socket_resumes_a_run(
    server: Server, rest: Rest, upstream: UpstreamProcess, tokens: int
) -> None:
    """P2: `resume{runId, lastSeq}`."""
    message, text, tag = ask()
    watch = Watch(server)
    await watch.ws({"content": message}, tokens=tokens)
    await watch.ws()
    await check(watch, rest, text)
    assert upstream.stats(tag)["requests"] == 1


@pytest.mark.parametrize("content", ["words", "unicode", "json"])
async def test_readers_cut_at_random_change_doors_and_lose_nothing(
    server: Server, rest: Rest, upstream: UpstreamProcess, content: str
) -> None:
    """P2: three readers at once, each cut again and again, SSE after WebSocket and back."""
    message, text, tag = ask(f"tokens=300 delay=1 content={content}")
    first = Watch(server)
    await first.sse({"message": message}, tokens=1)
    watches = [first, Watch(server, first.run_id), Watch(server, first.run_id)]

    async def read(watch: Watch, choose: random.Random) -> None:
        path = f"/api/runs/{watch.run_id}/events"
        while not watch.done:
            tokens = choose.randint(1, 60)
            if choose.random() < 0.5:
                await watch.sse(path=path, tokens=tokens)
            else:
                await watch.ws(tokens=tokens)

    await asyncio.gather(*(read(w, random.Random(f"{content}{i}")) for i, w in enumerate(watches)))
    for watch in watches:
        await check(watch, rest, text)
    assert upstream.stats(tag)["requests"] == 1


async def test_resume_of_a_conversation_finds_its_run(server: Server, rest: Rest) -> None:
    """P2: `resume{conversationId, lastSeq}` while it runs, and when it has ended."""
    message, text, _ = ask("tokens=100 delay=1")
    watch = Watch(server)
    await watch.ws({"content": message}, tokens=30)
    seen = len(watch.events)
    for _ in range(2):
        del watch.events[seen:]
        async with await WebSocket.open(server.ws_url, server.keys.acme) as socket:
            await socket.send(
                type="resume", conversationId=watch.conversation_id, lastSeq=watch.events[-1]["seq"]
            )
            await socket.until("done")
            watch.events += socket.events[1:]
        await check(watch, rest, text)


@pytest.mark.parametrize("tokens", POSITIONS)
@pytest.mark.parametrize("named", ["runId", "conversationId"])
async def test_a_refreshed_page_gets_a_snapshot_and_the_rest(
    server: Server, tokens: int, named: str
) -> None:
    """P2: `resume` without `lastSeq` is the run so far, then what follows it."""
    message, text, _ = ask()
    watch = Watch(server)
    await watch.ws({"content": message}, tokens=tokens)
    name = {"runId": watch.run_id, "conversationId": watch.conversation_id}[named]
    async with await WebSocket.open(server.ws_url, server.keys.acme) as socket:
        await socket.send(type="resume", id="r1", **{named: name})
        if (await socket.until("snapshot"))["status"] != "completed":
            await socket.until("done")
    snapshot, *rest = socket.events[1:]
    assert (snapshot["type"], snapshot["replyTo"]) == ("snapshot", "r1")
    assert tokens <= snapshot["nextIndex"]
    assert [event["seq"] for event in rest][:1] in ([], [snapshot["lastSeq"] + 1])
    indexes = [event["index"] for event in rest if event["type"] == "token"]
    assert indexes == list(range(snapshot["nextIndex"], 200))
    assert snapshot["message"]["content"] + text_of(rest) == text


async def test_a_snapshot_is_the_fold_of_what_came_before_it(server: Server, rest: Rest) -> None:
    """P9: the same message whether a client has folded the events or asks for the sum."""
    watch = Watch(server)
    await watch.ws({"content": ask("mode=thinking tokens=100 delay=1")[0]}, tokens=20)
    async with await WebSocket.open(server.ws_url, server.keys.acme) as socket:
        await socket.send(type="resume", runId=watch.run_id)
        snapshot = await socket.until("snapshot")
    await watch.ws()
    before = [event for event in watch.events if event["seq"] <= snapshot["lastSeq"]]
    created = datetime.fromisoformat(snapshot["message"]["createdAt"])
    said = msgspec.json.decode(dumps(snapshot_of(folded(before), created)))
    assert said | {"lastSeq": snapshot["lastSeq"]} == snapshot
    await check_history(rest, watch.events)


async def test_a_second_tab_sees_the_same_bytes(server: Server) -> None:
    """P2: sockets and streams on one run get the very bytes that the log holds."""
    message, _, _ = ask("tokens=100 delay=1 content=unicode")
    watch = Watch(server)
    await watch.ws({"content": message}, tokens=10)

    async def socket() -> list[str]:
        async with await WebSocket.open(server.ws_url, server.keys.acme) as tab:
            await tab.send(type="resume", runId=watch.run_id, lastSeq=0)
            got = []
            while not got or not got[-1].startswith('{"type":"done"'):
                got.append(str(await tab.connection.recv()))
            return got

    async def stream() -> list[str]:
        url = f"{server.url}/api/runs/{watch.run_id}/events"
        async with await Sse.open(url, server.keys.acme, method="GET") as tab:
            lines = (await tab.body()).decode().split("\n")
        return [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]

    tabs = await asyncio.gather(socket(), stream(), socket(), stream())
    assert tabs[1:] == tabs[:1] * 3


# -- positions that cannot be resumed


@pytest.fixture
async def ended(server: Server) -> Watch:
    """A run that is over."""
    watch = Watch(server)
    await watch.sse({"message": ask("tokens=5")[0]})
    return watch


async def status(server: Server, event_id: str, run_id: str = "") -> tuple[int, Event]:
    """What a stream of `run_id` answers to this `Last-Event-ID`; without a run, the chat POST."""
    key = server.keys.acme
    path = f"/api/runs/{run_id}/events" if run_id else "/api/chat/stream"
    async with Rest(server.url, key) as rest:
        body = None if run_id else {"message": "must not be answered"}
        answer = await rest.request(
            "GET" if run_id else "POST", path, json=body, headers={"Last-Event-ID": event_id}
        )
    is_json = answer.headers.get("content-type") == "application/json"
    return answer.status_code, answer.json() if is_json else {}


@pytest.mark.parametrize("event_id", MALFORMED)
async def test_a_malformed_position_is_400(server: Server, ended: Watch, event_id: str) -> None:
    """P3: never taken for a new message."""
    for run_id in ("", ended.run_id):
        code, body = await status(server, event_id, run_id)
        assert (code, body["error"]["code"]) == (400, "invalid_message")


async def test_a_position_beyond_the_end_is_400(server: Server, ended: Watch) -> None:
    """P3: on every door."""
    for run_id in ("", ended.run_id):
        code, body = await status(server, f"{ended.run_id}:{ended.last + 1}", run_id)
        assert (code, body["error"]["code"]) == (400, "invalid_message")
    async with await WebSocket.open(server.ws_url, server.keys.acme) as socket:
        for position in (ended.last + 1, -1):
            await socket.send(type="resume", id=1, runId=ended.run_id, lastSeq=position)
            refused = await socket.until("error")
            assert (refused["code"], refused["replyTo"]) == ("invalid_message", 1)


async def test_the_last_position_is_204(server: Server, ended: Watch) -> None:
    """P3: nothing will follow; an EventSource stops. Right before `done`, `done` follows."""
    for run_id in ("", ended.run_id):
        assert await status(server, f"{ended.run_id}:{ended.last}", run_id) == (204, {})
    almost = Watch(server, ended.run_id)
    almost.last = ended.last - 1
    await almost.sse(path=f"/api/runs/{ended.run_id}/events")
    assert [event["type"] for event in almost.events] == ["done"]


async def test_the_header_wins_over_the_query(rest: Rest, ended: Watch) -> None:
    """P3: a reconnecting EventSource cannot change its address."""
    path = f"/api/runs/{ended.run_id}/events?lastSeq=0"
    position = {"Last-Event-ID": f"{ended.run_id}:{ended.last}"}
    assert (await rest.request("GET", path, headers=position)).status_code == 204
    assert (await rest.get(path)).status_code == 200


async def test_a_foreign_run_is_answered_like_a_missing_one(server: Server, ended: Watch) -> None:
    """P3, P25: 404 with the same body, and the same frame on a socket."""
    answers, refusals = [], []
    for run_id in (ended.run_id, "run_" + "0" * 22):
        async with Rest(server.url, server.keys.globex) as rest:
            position = {"Last-Event-ID": f"{run_id}:1"}
            for method, path, headers in [
                ("GET", f"/api/runs/{run_id}", {}),
                ("GET", f"/api/runs/{run_id}/events", {}),
                ("GET", f"/api/chat/stream?runId={run_id}", {}),
                ("GET", "/api/chat/stream", position),
                ("POST", "/api/chat/stream", position),
                ("POST", f"/api/runs/{run_id}/cancel", {}),
            ]:
                answer = await rest.request(method, path, headers=headers)
                error = answer.json()["error"]
                del error["requestId"]
                answers.append((answer.status_code, error))
        async with await WebSocket.open(server.ws_url, server.keys.globex) as socket:
            await socket.send(type="resume", runId=run_id, lastSeq=1)
            refusals.append(await socket.until("error"))
    assert {code for code, _ in answers} == {404}
    assert all(answer == answers[0] for answer in answers)
    assert refusals[0] == refusals[1] == {"type": "error"} | answers[0][1]


async def test_a_cut_before_the_first_event_starts_no_second_run(
    server: Server, rest: Rest, upstream: UpstreamProcess
) -> None:
    """P3: the stream's first bytes name the run, at position 0."""
    message, text, tag = ask("tokens=20 delay=1")
    url, body = f"{server.url}/api/chat/stream", {"message": message}
    async with await Sse.open(url, server.keys.acme, body=body) as stream:
        async for _ in stream:
            run_id = stream.last_id.partition(":")[0]
            stream.cut()
            break
    watch = Watch(server, run_id)
    await watch.sse(body)
    await check(watch, rest, text)
    assert upstream.stats(tag)["requests"] == 1


async def test_an_expired_log_is_410_and_the_history_still_has_the_text(make_server) -> None:
    """P3: the window is over: said so, never a silent hole."""
    server = make_server(CLAW_LOG_RETENTION="1", CLAW_RUN_LEASE="0.3")
    message, text, _ = ask("tokens=20")
    watch, body = Watch(server), {"message": message, "clientMessageId": "m1"}
    await watch.sse(body)
    async with asyncio.timeout(20):
        code = 200
        while code == 200:
            await asyncio.sleep(0.1)  # nothing tells a client that a log expires
            code, _ = await status(server, f"{watch.run_id}:3", watch.run_id)
    for run_id in ("", watch.run_id):
        code, refused = await status(server, f"{watch.run_id}:3", run_id)
        assert (code, refused["error"]["code"]) == (410, "history_expired")
    async with Rest(server.url, server.keys.acme) as rest:
        await check_history(rest, watch.events)
        refused = await rest.post("/api/chat/stream", body)
        assert refused.status_code == 410
        assert refused.json()["error"]["details"]["runId"] == watch.run_id
        answer = (await rest.post("/api/chat", body)).json()  # needs no events: it is stored
        assert (answer["runId"], answer["content"]) == (watch.run_id, text)
    async with await WebSocket.open(server.ws_url, server.keys.acme) as socket:
        await socket.send(type="resume", id=1, runId=watch.run_id, lastSeq=3)
        assert (await socket.until("error"))["code"] == "history_expired"
        await socket.send(type="message", content=message, clientMessageId="m1")
        assert (await socket.until("error"))["code"] == "history_expired"
        await socket.send(type="resume", id=2, runId=watch.run_id)
        snapshot = await socket.until("snapshot")
        assert snapshot["message"]["content"] == text
        assert (await socket.ask(ask("tokens=3")[0]))[-1]["type"] == "done"  # and stays usable
