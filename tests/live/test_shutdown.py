"""SIGTERM: clients are told, answers are finished, and the next process goes on (P8)."""

import asyncio
import os
import time
from dataclasses import replace

import pytest

from tests.live.clients import TIMEOUT, Rest, WebSocket, text_of
from tests.live.server import Server
from tests.live.watching import Watch, check_history, check_run
from tests.ports import free_port
from tests.upstream import expected_text

TOLD_SECONDS = 5.0  # P8; 1 on a machine that does not stand still
SLOW = "[[upstream tokens=100 delay=20]]"
ENDLESS = "[[upstream tokens=20 mode=stall]]"  # five words, then nothing


async def told(socket: WebSocket) -> int:
    """The close code, after the server has asked to come back."""
    code = await socket.closed()
    assert socket.events[-1] == {"type": "reconnect", "delayMs": 1000}
    return code


@pytest.mark.embedded  # of others, scaled/test_webs and scaled/test_workers
async def test_running_answers_are_finished_and_nobody_loses_a_token(make_server) -> None:
    """P8: sockets are told within a second, streams end without `done`, the answers go into the
    log; the next process, started before, waits for its turn and has all of it. Runs that shall
    end with their client are no exception: it is the server that left."""
    server = make_server()
    following = replace(server, process=None, port=free_port())
    starting = asyncio.create_task(asyncio.to_thread(following.start))
    try:
        watches = [Watch(server) for _ in range(6)]
        policies = ["continue", "continue", "cancel"] * 2
        asking = [
            asyncio.create_task(ask(watch, policy, by_socket=place % 2 == 0))
            for place, (watch, policy) in enumerate(zip(watches, policies, strict=True))
        ]
        await asyncio.gather(*(watch.started.wait() for watch in watches))
        async with await WebSocket.open(server.ws_url, server.keys.acme) as idle:
            server.terminate()
            begun = time.monotonic()
            assert await told(idle) == 1012
        await asyncio.gather(*asking)  # all connections have ended
        assert time.monotonic() - begun < TOLD_SECONDS
        assert not any(watch.done for watch in watches)
        assert await asyncio.to_thread(server.wait) == 0
        await starting
        for watch in watches:
            watch.server = following
        path = "/api/runs/{}/events"
        await asyncio.gather(*(w.ws() for w in watches[:3]))
        await asyncio.gather(*(w.sse(path=path.format(w.run_id)) for w in watches[3:]))
        async with Rest(following.url, following.keys.acme) as rest:
            for watch in watches:
                check_run(watch.events, expected_text("tokens=100"))
                await check_history(rest, watch.events)
    finally:
        following.kill()


async def ask(watch: Watch, policy: str, *, by_socket: bool) -> None:
    """Read until the server ends the connection."""
    if by_socket:
        await watch.ws({"content": SLOW, "onDisconnect": policy})
    else:
        await watch.sse({"message": SLOW, "onDisconnect": policy})


async def test_a_request_that_waits_for_its_answer_gets_it(make_server) -> None:
    """P8: REST cannot resume, so its answer is still delivered."""
    server = make_server()
    async with Rest(server.url, server.keys.acme) as rest:
        asking = asyncio.create_task(rest.post("/api/chat", {"message": SLOW}))
        conversation = await first_conversation(rest)
        async with await WebSocket.open(server.ws_url, server.keys.acme) as socket:
            await socket.send(type="resume", conversationId=conversation, lastSeq=0)
            await socket.until("token")
            server.terminate()
            assert await told(socket) == 1012
        answer = await asking
    assert (answer.status_code, answer.json()["content"]) == (200, expected_text("tokens=100"))
    assert await asyncio.to_thread(server.wait) == 0


async def first_conversation(rest: Rest) -> str:
    """The id of the first conversation, once there is one (each look is a round trip)."""
    async with asyncio.timeout(TIMEOUT):
        while True:
            found = (await rest.get("/api/conversations")).json()["conversations"]
            if found:
                return str(found[0]["id"])


async def test_what_outlasts_the_grace_is_interrupted_with_what_it_has(make_server) -> None:
    """P8: the partial text is kept, the client is told to try again."""
    server = make_server(CLAW_SHUTDOWN_GRACE="0.2")
    watch = Watch(server)
    asking = asyncio.create_task(watch.ws({"content": ENDLESS}))
    await watch.until(lambda: watch.tokens == 5)
    assert await asyncio.to_thread(server.stop) == 0
    await asking
    await asyncio.to_thread(server.start)
    await watch.ws()
    outcome = check_run(watch.events, expected_text("tokens=5"))
    assert (outcome["code"], outcome["retryable"]) == ("run_interrupted", True)
    assert outcome["usage"]["source"] == "estimated"
    assert watch.events[-1]["reason"] == "interrupted"
    async with Rest(server.url, server.keys.acme) as rest:
        await check_history(rest, watch.events)


@pytest.mark.embedded  # it takes a journal away
async def test_a_message_in_line_is_answered_by_the_next_process(make_server) -> None:
    """P1, P8: after SIGTERM and after SIGKILL; it was accepted, so it is answered."""
    server = make_server(CLAW_SHUTDOWN_GRACE="0.2")
    for end in (server.stop, server.kill):
        async with await WebSocket.open(server.ws_url, server.keys.acme) as socket:
            await socket.send(type="message", content=ENDLESS)
            first = await socket.until("run_started")
            await socket.until("token", where=lambda event: event["index"] == 4)
            await socket.send(type="message", content="[[upstream tokens=10]]")
            queued = await socket.until("run_started")
            assert (queued["queued"], queued["conversationId"]) == (1, first["conversationId"])
            await asyncio.to_thread(end)
        if end == server.kill:  # it may have struck between the commit and the first event
            os.unlink(f"{server.database}.runs/{queued['runId']}.jsonl")
        await asyncio.to_thread(server.start)
        broken, waiting = Watch(server, first["runId"]), Watch(server, queued["runId"])
        await asyncio.gather(broken.recovered(), waiting.recovered())
        assert check_run(broken.events, expected_text("tokens=5"))["code"] == "run_interrupted"
        assert check_run(waiting.events, expected_text("tokens=10"))["type"] == "message_complete"
        async with Rest(server.url, server.keys.acme) as rest:
            await check_history(rest, broken.events)
            await check_history(rest, waiting.events)


@pytest.mark.embedded  # scaled out, more are welcome
async def test_a_second_process_on_the_same_data_is_refused(make_server, tmp_path) -> None:
    """It would write over the first one's answers; it says so, and the first is not disturbed."""
    first = make_server(CLAW_SHUTDOWN_GRACE="0.5")
    second = Server(first.env, tmp_path, first.keys)
    with pytest.raises(AssertionError, match="Another Clawsite server is running"):
        await asyncio.to_thread(second.start)
    assert second.wait() != 0
    assert "Traceback" not in second.log
    async with await WebSocket.open(first.ws_url, first.keys.acme) as socket:
        assert text_of(await socket.ask("hello")) == expected_text("")
