"""Messages that join a run at its next step, in one process and scaled out, over every door."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.live.clients import Event, Rest, Sse, WebSocket
from tests.live.installation import Installation
from tests.live.scaled.stack import Stack
from tests.live.server import Server
from tests.live.test_management import manager

# The run waits for the approval; the step ends when it is given.
ASK = "/approve 6 * 7\n/delay 0"
AGENT = {"provider": "demo", "tools": [{"builtin": "calculator", "approval": "always"}]}
SAID = "You said meanwhile: Hurry"


@pytest.fixture(scope="module")
def server(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server | Stack]:
    with installation.deployed(tmp_path_factory.mktemp("server")) as server:
        yield server.start()


@pytest_asyncio.fixture
async def rest(server: Server) -> AsyncIterator[Rest]:
    """A key of acme that may approve, and whose agent is the demo."""
    key = manager(server, "acme", "chat,conversations:read,agents:write,runs:approve")
    async with Rest(server.url, key) as rest:
        changed = await rest.request("PATCH", "/api/agents/acme-agent", json=AGENT)
        assert changed.status_code == 200, changed.text
        yield rest


async def waiting(rest: Rest) -> Event:
    """A run that waits for an approval."""
    asked = await rest.post("/api/chat", json={"message": ASK})
    assert (asked.status_code, asked.json()["status"]) == (202, "waiting"), asked.text
    return asked.json()


async def approve(rest: Rest, run: Event) -> None:
    (call,) = run["pending"]
    verdict = {"argsDigest": call["argsDigest"], "approve": True}
    decided = await rest.post(f"/api/runs/{run['runId']}/approvals/{call['id']}", json=verdict)
    assert decided.status_code == 200, decided.text


def steering(run: Event, **fields: object) -> Event:
    body = {"message": "Hurry\n/delay 0", "conversationId": run["conversationId"]}
    return body | {"ifBusy": "steer", **fields}


async def stored(rest: Rest, run: Event, count: int) -> None:
    """Wait until so many messages of the user are in the conversation."""
    async with asyncio.timeout(20):
        while True:
            said = [m for m in await rest.messages(run["conversationId"]) if m["role"] == "user"]
            if len(said) == count:
                return
            await asyncio.sleep(0.02)  # nothing tells it to other clients


async def test_over_rest_the_request_gets_the_answer_of_the_run(rest: Rest) -> None:
    run = await waiting(rest)
    asking = asyncio.create_task(rest.post("/api/chat", json=steering(run, clientMessageId="s1")))
    await stored(rest, run, 2)
    assert (await rest.get(f"/api/runs/{run['runId']}")).json()["status"] == "waiting"
    await approve(rest, run)
    answer = (await asking).json()
    assert answer["runId"] == run["runId"]
    assert "42" in answer["content"] and SAID in answer["content"]
    # The same message again is answered by the same run.
    again = (await rest.post("/api/chat", json=steering(run, clientMessageId="s1"))).json()
    assert again["content"] == answer["content"]
    messages = await rest.messages(run["conversationId"])
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert {message["runId"] for message in messages} == {run["runId"]}


async def test_over_sse_the_stream_goes_on_with_the_run(server: Server, rest: Rest) -> None:
    run = await waiting(rest)
    url = f"{server.url}/api/chat/stream"
    async with await Sse.open(url, rest.token, body=steering(run)) as stream:
        await stored(rest, run, 2)
        await approve(rest, run)
        events = await stream.read()
    assert [event["type"] for event in events if event["runId"] != run["runId"]] == ["run_started"]
    assert events[-1]["type"] == "done"
    (complete,) = [event for event in events if event["type"] == "message_complete"]
    assert SAID in complete["content"]


async def test_over_a_socket_both_runs_tell_it(server: Server, rest: Rest) -> None:
    run = await waiting(rest)
    async with await WebSocket.open(server.ws_url, rest.token) as ws:
        await ws.send(type="resume", runId=run["runId"], lastSeq=0)
        await ws.until("approval_required")
        fields = {"content": "Hurry\n/delay 0", "conversationId": run["conversationId"]}
        await ws.send(type="message", ifBusy="steer", clientMessageId="w1", **fields)
        started = await ws.until("run_started", where=lambda event: "queued" in event)
        await approve(rest, run)
        await ws.until("done", where=lambda event: event["runId"] == run["runId"])
        steered = [event for event in ws.events if event["type"] == "steered"]
        if not any(event.get("joinedRunId") for event in ws.events):
            await ws.until("cancelled")
    (told,) = steered
    assert (told["runId"], told["clientMessageId"]) == (run["runId"], "w1")
    (end,) = [event for event in ws.events if event["type"] == "cancelled"]
    assert (end["runId"], end["joinedRunId"]) == (started["runId"], run["runId"])


async def test_after_a_kill_it_still_joins(server: Server, rest: Rest) -> None:
    run = await waiting(rest)
    async with await WebSocket.open(server.ws_url, rest.token) as ws:
        fields = {"content": "Hurry\n/delay 0", "conversationId": run["conversationId"]}
        await ws.send(type="message", ifBusy="steer", **fields)
        await ws.until("run_started")
        server.kill()
    server.start()
    async with Rest(server.url, rest.token) as again:
        await approve(again, run)
        async with await Sse.open(
            f"{server.url}/api/runs/{run['runId']}/events", rest.token, method="GET"
        ) as stream:
            events = await stream.read()
    (complete,) = [event for event in events if event["type"] == "message_complete"]
    assert SAID in complete["content"]
