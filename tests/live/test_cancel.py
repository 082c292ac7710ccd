"""A stop reaches the model server at once, whatever the run is doing, and harms nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.live.clients import Rest, Sse, WebSocket, text_of
from tests.live.raw import aborted, call_of, new_tag
from tests.live.server import Server
from tests.upstream.process import UpstreamProcess

BAR = 2.0  # seconds from the stop to the model server's closed socket; 0.003 on a quiet machine
LONG = "tokens=5000 delay=5"

PHASES = {
    "in the middle": LONG,
    "before the response": "headers=60000",
    "before the first token": "first=60000",
    "in a stall": "tokens=20 mode=stall at=5",
    "in a stall with pings": "tokens=20 mode=stall at=5 ping_ms=30",
    "while it thinks": "mode=thinking think=5000 delay=5",
}

Stop = Callable[[WebSocket, Rest, str], Awaitable[object]]
WAYS: dict[str, Stop] = {
    "cancel": lambda ws, rest, run: ws.send(type="cancel"),
    "cancel of the run": lambda ws, rest, run: ws.send(type="cancel", runId=run),
    "the word STOP": lambda ws, rest, run: ws.connection.send("STOP"),
    "REST": lambda ws, rest, run: rest.post(f"/api/runs/{run}/cancel"),
}


def ask(directive: str, tag: str) -> str:
    return f"go [[upstream {directive} tag={tag}]]"


async def begin(ws: WebSocket, upstream: UpstreamProcess, directive: str, tag: str) -> str:
    """Start a run; returns its id as soon as the model server is in the phase asked for."""
    await ws.send(type="message", content=ask(directive, tag))
    run = (await ws.until("run_started"))["runId"]
    await call_of(upstream, tag)
    if directive == LONG or "stall" in directive:
        await ws.until("token", where=lambda token: token["index"] == 4)
    elif "thinking" in directive:
        await ws.until("thinking")
    return str(run)


async def stop(
    ws: WebSocket, rest: Rest, upstream: UpstreamProcess, phase: str, way: str
) -> tuple[str, float]:
    """Start, stop, and see it end as it should; the run and the seconds until it was heard."""
    tag = new_tag()
    run = await begin(ws, upstream, PHASES[phase], tag)
    before = time.time()
    await WAYS[way](ws, rest, run)
    outcome = await ws.until("cancelled", "error", "message_complete")
    done = await ws.until("done")
    assert outcome["type"] == "cancelled"
    assert done["reason"] == "cancelled"
    assert outcome["content"] == text_of([e for e in ws.events if e.get("runId") == run])
    assert outcome["usage"]["source"] == "estimated"
    assert outcome["usage"]["totalTokens"] > 0
    return run, await aborted(upstream, tag) - before


@pytest.mark.parametrize("way", WAYS)
async def test_it_works(ws: WebSocket, rest: Rest, upstream: UpstreamProcess, way: str) -> None:
    """P10: in the middle of the answer, in every way there is to say stop."""
    run, seconds = await stop(ws, rest, upstream, "in the middle", way)
    assert seconds < BAR
    stored = (await rest.get(f"/api/runs/{run}")).json()
    assert stored["status"] == "cancelled"
    assert stored["content"].startswith("w0 w1 w2 w3 w4 ")
    assert stored["usage"] == ws.events[-1]["usage"]


@pytest.mark.parametrize("phase", PHASES)
async def test_a_stop_is_heard_in_every_phase(
    ws: WebSocket, rest: Rest, upstream: UpstreamProcess, phase: str
) -> None:
    """P10: also where no chunk arrives between which a flag could be looked at."""
    _, seconds = await stop(ws, rest, upstream, phase, "cancel")
    assert seconds < BAR


async def test_the_partial_text_is_context_of_the_next_question(
    ws: WebSocket, rest: Rest, upstream: UpstreamProcess
) -> None:
    """P10: the conversation stays usable and remembers what was said."""
    await stop(ws, rest, upstream, "in the middle", "cancel")
    partial = next(e for e in ws.events if e["type"] == "cancelled")["content"]
    tag = new_tag()
    assert (await ws.ask(ask("tokens=1", tag)))[-1]["reason"] == "complete"
    sent = upstream.requests(tag)[0]["body"]["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]
    assert partial in str(sent[1]["content"])


async def test_a_waiting_run_is_cancelled_before_it_begins(
    ws: WebSocket, rest: Rest, upstream: UpstreamProcess
) -> None:
    """P10: nothing is ever asked of the model, and the run before it goes on."""
    first, second = new_tag(), new_tag()
    running = await begin(ws, upstream, LONG, first)
    await ws.send(type="message", content=ask("tokens=3", second))
    waiting = await ws.until("run_started")
    assert waiting["queued"] == 1
    assert (await rest.post(f"/api/runs/{waiting['runId']}/cancel")).status_code == 202
    done = await ws.until("done")
    assert (done["runId"], done["reason"]) == (waiting["runId"], "cancelled")
    its = [event["type"] for event in ws.events if event.get("runId") == waiting["runId"]]
    assert its == ["run_started", "cancelled", "done"]
    await ws.until("token", where=lambda token: token["runId"] == running)
    await ws.send(type="cancel")
    assert (await ws.until("done"))["runId"] == running
    assert upstream.stats(second)["requests"] == 0


async def test_a_second_or_late_stop_changes_nothing(
    ws: WebSocket, rest: Rest, upstream: UpstreamProcess
) -> None:
    """P10, P5: one outcome and one `done`, whatever comes after."""
    run = await begin(ws, upstream, LONG, new_tag())
    await asyncio.gather(*(rest.post(f"/api/runs/{run}/cancel") for _ in range(5)))
    await ws.until("done")
    before = (await rest.get(f"/api/runs/{run}")).json()
    assert (await rest.post(f"/api/runs/{run}/cancel")).status_code == 202
    await ws.send(type="cancel", runId=run)
    await ws.connection.send("STOP")
    await ws.send(type="ping", id="fence")
    assert await ws.next() == {"type": "pong", "replyTo": "fence"}
    assert (await rest.get(f"/api/runs/{run}")).json() == before
    ends = [e["type"] for e in ws.events if e["type"] in ("cancelled", "done", "error")]
    assert ends == ["cancelled", "done"]


async def test_strangers_cannot_stop_a_run(
    server: Server, ws: WebSocket, upstream: UpstreamProcess
) -> None:
    """P10, P24: neither with a foreign key nor with an id that is none."""
    run = await begin(ws, upstream, LONG, new_tag())
    async with (
        Rest(server.url, server.keys.globex) as stranger,
        await WebSocket.open(server.ws_url, server.keys.globex) as other,
    ):
        answer = await stranger.post(f"/api/runs/{run}/cancel")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "run_not_found")
        await other.send(type="cancel", runId=run, id=1)
        assert (await other.until("error"))["code"] == "run_not_found"
        await other.connection.send("STOP")
        await other.send(type="ping")
        await other.until("pong")
    await ws.until("token")
    await ws.send(type="cancel")
    await ws.until("done")


async def test_a_stop_against_the_end_leaves_one_outcome(ws: WebSocket, rest: Rest) -> None:
    """P5: cancelled or complete, never both, and the history says the same."""
    for delay in range(8):
        await ws.send(type="message", content=f"go [[upstream tokens={delay + 1}]]")
        run = (await ws.until("run_started"))["runId"]
        await ws.until("token", where=lambda token, last=delay: token["index"] == last)
        await ws.send(type="cancel")
        outcome = await ws.until("cancelled", "message_complete")
        assert (await ws.until("done"))["runId"] == run
        stored = (await rest.get(f"/api/runs/{run}")).json()
        expected = {"cancelled": "cancelled", "message_complete": "completed"}[outcome["type"]]
        assert (stored["status"], stored["content"]) == (expected, outcome["content"])


async def test_a_run_goes_on_without_its_client(
    server: Server, rest: Rest, upstream: UpstreamProcess
) -> None:
    """P11: by default a vanished client changes nothing; the answer is in the history."""
    tag = new_tag()
    ws = await WebSocket.open(server.ws_url, server.keys.acme)
    await ws.send(type="message", content=ask("tokens=60 delay=5", tag))
    started = await ws.until("run_started")
    await ws.until("token")
    ws.cut()
    path = f"{server.url}/api/runs/{started['runId']}/events"
    async with await Sse.open(path, server.keys.acme, method="GET") as watcher:
        events = await watcher.read()
    assert events[-1]["reason"] == "complete"
    assert len(text_of(events).split()) == 60
    history = await rest.messages(started["conversationId"])
    assert history[-1]["content"] == text_of(events)


async def vanish_from_websocket(server: Server, upstream: UpstreamProcess, tag: str) -> None:
    ws = await WebSocket.open(server.ws_url, server.keys.acme)
    await ws.send(type="message", content=ask(LONG, tag), onDisconnect="cancel")
    await call_of(upstream, tag)
    ws.cut()


async def vanish_from_sse(server: Server, upstream: UpstreamProcess, tag: str) -> None:
    body = {"message": ask(LONG, tag), "onDisconnect": "cancel"}
    stream = await Sse.open(f"{server.url}/api/chat/stream", server.keys.acme, body=body)
    await stream.read(tokens=1)
    stream.cut()


async def vanish_from_rest(server: Server, upstream: UpstreamProcess, tag: str) -> None:
    body = {"message": ask(LONG, tag), "onDisconnect": "cancel"}
    async with Rest(server.url, server.keys.acme) as rest:
        waiting = asyncio.create_task(rest.post("/api/chat", body))
        await call_of(upstream, tag)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


VANISH = {"ws": vanish_from_websocket, "sse": vanish_from_sse, "rest": vanish_from_rest}


@pytest.mark.parametrize("door", VANISH)
async def test_a_run_ends_with_its_client_if_that_was_asked(
    server: Server, upstream: UpstreamProcess, door: str
) -> None:
    """P11: `onDisconnect: cancel` lets the model server go within 2 s."""
    tag = new_tag()
    await VANISH[door](server, upstream, tag)
    before = time.time()
    assert await aborted(upstream, tag) - before < 2


async def test_only_the_starters_disconnect_counts(
    server: Server, ws: WebSocket, upstream: UpstreamProcess
) -> None:
    """P11: a watcher may come and go; when the starter goes, a watcher sees the run end."""
    tag = new_tag()
    starter = await WebSocket.open(server.ws_url, server.keys.acme)
    await starter.send(type="message", content=ask(LONG, tag), onDisconnect="cancel")
    run = (await starter.until("run_started"))["runId"]
    url = f"{server.url}/api/runs/{run}/events"
    watcher = await Sse.open(url, server.keys.acme, method="GET")
    await watcher.read(tokens=3)
    watcher.cut()
    seen = await starter.until("token")
    await starter.until("token", where=lambda token: token["index"] > seen["index"] + 50)
    await ws.send(type="resume", runId=run, lastSeq=0)
    await ws.until("token")
    starter.cut()
    assert (await ws.until("done"))["reason"] == "cancelled"
    assert upstream.stats(tag)["aborted"] == 1
