"""An agent that asks another one, in one process and scaled out."""

import base64
import json
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.live.clients import Event, Rest, WebSocket
from tests.live.installation import Installation
from tests.live.scaled.stack import Stack
from tests.live.server import Server
from tests.live.test_management import make_agent, manager
from tests.upstream.process import UpstreamProcess

SCOPES = "chat,conversations:read,conversations:write,agents:read,agents:write,runs:approve"
OPENAI = {"provider": "openai", "model": "m"}
SLOW = "/delay 50\n/long 600"  # half a minute


@pytest.fixture(scope="module")
def server(
    installation: Installation,
    upstream: UpstreamProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server | Stack]:
    """A server whose agents use the local model server."""
    settings = {"OPENAI_API_KEY": "sk-live-tests", "OPENAI_BASE_URL": f"{upstream.url}/v1"}
    with installation.deployed(tmp_path_factory.mktemp("server"), **settings) as server:
        yield server.start()


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return manager(server, "acme", SCOPES)


@pytest.fixture
async def rest(server: Server, key: str) -> AsyncIterator[Rest]:
    async with Rest(server.url, key) as rest:
        yield rest


async def boss(rest: Rest, **fields: object) -> tuple[str, str]:
    """The ids of an agent that asks, and the slug of the one that it asks."""
    expert = await make_agent(rest, name="Expert", **fields)
    tools = [{"agent": expert["slug"]}]
    asking = await make_agent(rest, name="Boss", **OPENAI, tools=tools)
    return asking["id"], expert["slug"]


def question(slug: str, message: str) -> str:
    """What makes the model ask the other agent this."""
    args = base64.b64encode(json.dumps({"message": message}).encode()).decode()
    return f"[[upstream mode=tool tool={slug} input={args} tokens=2]]"


async def connect(server: Server, key: str, agent: str) -> WebSocket:
    """A connection to one agent of a key that opens several."""
    ws = await WebSocket.open(server.ws_url)
    await ws.send(type="auth", token=key, agentId=agent)
    await ws.until("auth_ok")
    return ws


async def begun(ws: WebSocket, text: str) -> tuple[str, str]:
    """The run of a message, and the run of the other agent."""
    await ws.send(type="message", content=text)
    call = await ws.until("tool_call")
    return call["runId"], call["childRunId"]


async def writing(ws: WebSocket, run_id: str) -> None:
    """Return when this run has written a word."""
    seen = None
    while seen != "token":
        await ws.send(type="resume", runId=run_id, lastSeq=0)
        seen = (await ws.until("token", "error"))["type"]  # an error: it has not begun yet


async def rest_of(server: Server, key: str, agent: str, run_id: str) -> list[Event]:
    """All events of a run, once it has ended."""
    async with await connect(server, key, agent) as ws:
        await ws.send(type="resume", runId=run_id, lastSeq=0)
        await ws.until("done")
        return ws.events


async def test_it_works(rest: Rest) -> None:
    """A request for the whole answer is not told that the run waits for the other agent."""
    agent, slug = await boss(rest)
    asked = {"message": question(slug, "/echo Forty-two."), "agentId": agent}
    answer = await rest.post("/api/chat", json=asked)
    assert answer.status_code == 200, answer.text
    assert "Forty-two." in answer.json()["content"]
    message = (await rest.messages(answer.json()["conversationId"]))[-1]
    (tool,) = message["tools"]
    child = (await rest.get(f"/api/runs/{tool['childRunId']}")).json()
    assert (tool["tool"], tool["result"], child["content"]) == (slug, "Forty-two.", "Forty-two.")
    assert (child["status"], child["usage"]["model"]) == ("completed", "demo")
    listed = (await rest.get("/api/conversations")).json()["conversations"]
    assert child["conversationId"] not in {conversation["id"] for conversation in listed}


async def test_a_crash_begins_no_second_run(server: Server, key: str, rest: Rest) -> None:
    agent, slug = await boss(rest)
    async with await connect(server, key, agent) as ws:
        run, child = await begun(ws, question(slug, SLOW))
        async with await connect(server, key, slug) as watcher:
            await writing(watcher, child)
    server.kill()
    server.start()
    events = await rest_of(server, key, agent, run)
    assert (await rest.get(f"/api/runs/{child}")).json()["status"] == "interrupted"
    calls = [event for event in events if event["type"] == "tool_call"]
    (result,) = [event for event in events if event["type"] == "tool_result"]
    assert [call["childRunId"] for call in calls] == [child] == [result["childRunId"]]
    assert result["isError"] and "The server stopped" in result["result"]
    assert events[-1]["reason"] == "complete"


async def test_an_answer_that_goes_on_after_a_crash_is_the_result(
    server: Server, key: str, rest: Rest
) -> None:
    agent, slug = await boss(rest, onCrash="continue")
    async with await connect(server, key, agent) as ws:
        run, child = await begun(ws, question(slug, "/delay 20\n/long 60"))
        async with await connect(server, key, slug) as watcher:
            await writing(watcher, child)
    server.kill()
    server.start()
    events = await rest_of(server, key, agent, run)
    (result,) = [event for event in events if event["type"] == "tool_result"]
    described = (await rest.get(f"/api/runs/{child}")).json()
    assert (result["isError"], result["result"]) == (False, described["content"])


async def test_a_cancel_stops_the_other_agent(server: Server, key: str, rest: Rest) -> None:
    agent, slug = await boss(rest)
    async with await connect(server, key, agent) as ws:
        run, child = await begun(ws, question(slug, SLOW))
        async with await connect(server, key, slug) as watcher:
            await writing(watcher, child)
            assert (await rest.post(f"/api/runs/{run}/cancel")).status_code == 202
            ended = await watcher.until("done")
        assert (ended["runId"], ended["reason"]) == (child, "cancelled")
    assert (await rest.get(f"/api/runs/{run}")).json()["status"] == "cancelled"


async def test_an_approval_beneath_is_decided_above(rest: Rest) -> None:
    tools = [{"builtin": "current_time", "approval": "always"}]
    agent, slug = await boss(rest, **OPENAI, tools=tools)
    inner = "[[upstream mode=tool tokens=2]]"
    asked = {"message": question(slug, inner), "agentId": agent}
    answer = await rest.post("/api/chat", json=asked)
    assert answer.status_code == 202, answer.text
    (pending,) = answer.json()["pending"]
    run = answer.json()["runId"]
    assert (pending["tool"], pending["childRunId"] == run) == ("current_time", False)
    listed = (await rest.get(f"/api/runs/{pending['childRunId']}")).json()
    assert listed["pending"][0]["id"] == pending["id"]
    path = f"/api/runs/{run}/approvals/{pending['id']}"
    verdict = {"argsDigest": pending["argsDigest"], "approve": True}
    assert (await rest.post(path, json=verdict)).status_code == 200
    events = (await rest.get(f"/api/runs/{run}/events")).text
    assert '"approval_decided"' in events and '"reason":"complete"' in events
    assert (await rest.get(f"/api/runs/{pending['childRunId']}")).json()["status"] == "completed"
