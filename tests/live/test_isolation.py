"""Two organisations on one server: neither can tell that the other exists."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.live.clients import Event, Rest, Sse, WebSocket
from tests.live.raw import new_tag
from tests.live.server import Server
from tests.upstream.process import UpstreamProcess

ASK = "go [[upstream tokens=3]]"
SECRET = "globex-secret-plan"


@pytest.fixture
async def globex(server: Server) -> AsyncIterator[Rest]:
    async with Rest(server.url, server.keys.globex) as client:
        yield client


@pytest.fixture
async def theirs(globex: Rest) -> Event:
    """What globex has: a conversation under a name of its own, with one finished run."""
    body = {"message": f"{SECRET} {ASK}", "conversationId": f"plan-{new_tag()}"}
    answer: Event = (await globex.post("/api/chat", body)).json()
    run = (await globex.get(f"/api/runs/{answer['runId']}")).json()
    return answer | {"agentId": run["agentId"]}


def without_ids(answer: httpx.Response) -> Any:
    """An answer without what differs from request to request."""
    body = answer.json()
    del body["error"]["requestId"]
    return answer.status_code, body


PATHS = [
    ("GET", "/api/runs/{run}"),
    ("POST", "/api/runs/{run}/cancel"),
    ("GET", "/api/runs/{run}/events"),
    ("GET", "/api/runs/{run}/events?lastSeq=1"),
    ("GET", "/api/chat/stream?runId={run}"),
    ("GET", "/api/chat/stream?conversationId={conversation}"),
    ("GET", "/api/conversations/{conversation}"),
    ("PATCH", "/api/conversations/{conversation}"),
    ("DELETE", "/api/conversations/{conversation}"),
    ("GET", "/api/conversations/{conversation}/messages"),
    ("GET", "/api/conversations/{conversation}/messages?stream=true"),
    ("POST", "/api/conversations/{conversation}/messages"),
    ("GET", "/api/conversations?before={conversation}"),
    ("GET", "/a/{agent}/api/conversations"),
    ("POST", "/a/{agent}/api/chat"),
    ("GET", "/a/{agent}/api/runs/{run}"),
    ("GET", "/api/conversations?agentId={agent_id}"),
]
BODIES = {"PATCH": {"title": "mine"}, "POST": {"message": ASK, "content": ASK}}


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_it_works(rest: Rest, globex: Rest, theirs: Event, method: str, path: str) -> None:
    """P24, P25: what is another's is answered exactly like what does not exist."""
    foreign = {
        "run": theirs["runId"],
        "conversation": theirs["conversationId"],
        "agent": "globex-agent",
        "agent_id": theirs["agentId"],
    }
    missing = {name: f"{value[:5]}{new_tag()}" for name, value in foreign.items()}
    body = BODIES.get(method)
    answers = [
        await rest.request(method, path.format(**names), json=body) for names in (foreign, missing)
    ]
    assert answers[0].status_code in (404, 400)
    assert without_ids(answers[0]) == without_ids(answers[1])
    assert (await globex.messages(theirs["conversationId"]))[-1]["content"] == theirs["content"]


@pytest.mark.parametrize(
    ("type_", "field"),
    [
        ("resume", "runId"),
        ("resume", "conversationId"),
        ("cancel", "runId"),
        ("cancel", "conversationId"),
        ("subscribe", "conversationId"),
    ],
)
async def test_frames_do_not_tell_either(
    ws: WebSocket, theirs: Event, type_: str, field: str
) -> None:
    """P24, P25: the same over a WebSocket."""
    answers = []
    for value in (theirs[field], f"{theirs[field][:5]}{new_tag()}"):
        await ws.send(type=type_, **{field: value})
        answers.append(await ws.next())
    assert answers[0]["type"] == "error"
    assert answers[0] == answers[1]


async def test_resuming_by_event_id_is_no_way_in(server: Server, theirs: Event) -> None:
    """P24: `Last-Event-ID` names a run, and the run must be the caller's."""
    statuses = []
    for run in (theirs["runId"], "run_0123456789"):
        async with await Sse.open(
            f"{server.url}/api/chat/stream",
            server.keys.acme,
            body={"message": ASK},
            headers={"Last-Event-ID": f"{run}:1"},
        ) as stream:
            statuses.append((stream.status, json.loads(await stream.body())["error"]["code"]))
    assert statuses == [(404, "run_not_found")] * 2


async def test_an_agent_of_another_is_an_agent_that_is_not(server: Server, theirs: Event) -> None:
    """P25: by slug, by id, by path and by host: `agent_not_found`, and 4004 on a socket."""
    port = server.port
    for name in ("globex-agent", theirs["agentId"], "nobody", "../admin"):
        async with await WebSocket.open(server.ws_url) as ws:
            await ws.send(type="auth", token=server.keys.acme, agentId=name)
            assert await ws.closed() == 4004
            assert ws.events[-1]["code"] == "agent_not_found"
        async with Rest(server.url, server.keys.acme) as rest:
            answer = await rest.post("/api/chat", {"message": ASK, "agentId": name})
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "agent_not_found")
    for slug in ("globex-agent", "nobody"):
        async with Rest(server.url, server.keys.acme) as rest:
            host = {"Host": f"{slug}.localhost:{port}"}
            answer = await rest.post("/api/chat", {"message": ASK}, headers=host)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "agent_not_found")


async def test_the_agent_may_be_named_in_four_ways(server: Server, rest: Rest) -> None:
    """Host, path, `agentId` as slug and as id all mean the same agent."""
    first = await rest.post("/api/chat", {"message": ASK})
    agent = (await rest.get(f"/api/runs/{first.json()['runId']}")).json()["agentId"]
    answers = [
        await rest.post("/a/acme-agent/api/chat", {"message": ASK}),
        await rest.post("/api/chat", {"message": ASK, "agentId": "acme-agent"}),
        await rest.post("/api/chat", {"message": ASK, "agentId": agent}),
        await rest.post(
            "/api/chat", {"message": ASK}, headers={"Host": f"acme-agent.localhost:{server.port}"}
        ),
    ]
    for answer in answers:
        run = (await rest.get(f"/api/runs/{answer.json()['runId']}")).json()
        assert run["agentId"] == agent


async def test_two_agents_in_one_request_are_a_mismatch(server: Server) -> None:
    """`agent_mismatch`, where the key may use both of them."""
    server.manage("create_agent", "--org", "acme", "--slug", "acme-second")
    token = server.manage("shell", "-v0", "-c", KEY_FOR_ALL).strip()
    async with Rest(server.url, token) as rest:
        body = {"message": ASK, "agentId": "acme-second"}
        answer = await rest.post("/a/acme-agent/api/chat", body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "agent_mismatch")
        unnamed = await rest.post("/api/chat", {"message": ASK})
        assert unnamed.json()["error"]["details"]["field"] == "agentId"
    async with await WebSocket.open(f"ws://127.0.0.1:{server.port}/a/acme-agent/api/ws") as ws:
        await ws.send(type="auth", token=token, agentId="acme-second")
        assert await ws.closed() == 4003
        assert ws.events[-1]["code"] == "agent_mismatch"


KEY_FOR_ALL = """
from accounts.models import Organization
from agents.auth.keys import create_key
print(create_key(Organization.objects.get(name="acme"), name="all")[1])
"""


async def test_the_same_name_is_a_conversation_of_each(
    server: Server, rest: Rest, globex: Rest, upstream: UpstreamProcess
) -> None:
    """P24, P27: an alias is never global, and nothing of one reaches the other's model."""
    alias, tag = f"shared-{new_tag()}", new_tag()
    body = {"conversationId": alias}
    await globex.post("/api/chat", body | {"message": f"{SECRET} {ASK}"})
    mine = await rest.post(
        "/api/chat", body | {"message": f"hello [[upstream tokens=3 tag={tag}]]"}
    )
    assert mine.json()["conversationId"] == alias
    assert SECRET not in json.dumps(upstream.requests(tag))
    assert [len(await each.messages(alias)) for each in (rest, globex)] == [2, 2]
    assert (await rest.request("DELETE", f"/api/conversations/{alias}")).status_code == 204
    assert SECRET in (await globex.messages(alias))[0]["content"]


async def test_a_foreign_id_becomes_an_alias_of_ones_own(
    rest: Rest, theirs: Event, globex: Rest, upstream: UpstreamProcess
) -> None:
    """P25: in a chat an id that is none of the caller's begins a new conversation."""
    tag = new_tag()
    body = {
        "message": f"hello [[upstream tokens=1 tag={tag}]]",
        "conversationId": theirs["conversationId"],
    }
    assert (await rest.post("/api/chat", body)).status_code == 200
    assert SECRET not in json.dumps(upstream.requests(tag))
    assert len(await globex.messages(theirs["conversationId"])) == 2


async def test_lists_show_only_ones_own(rest: Rest, theirs: Event) -> None:
    """P24: nothing of globex in what acme may list."""
    assert SECRET not in (await rest.get("/api/conversations", limit=200)).text
    assert theirs["conversationId"] not in (await rest.get("/api/conversations", limit=200)).text


async def test_client_message_ids_are_ones_own_too(rest: Rest, globex: Rest) -> None:
    """P24: the same `clientMessageId` at another organisation attaches to nothing."""
    same = new_tag()
    runs = [
        (await each.post("/api/chat", {"message": ASK, "clientMessageId": same})).json()["runId"]
        for each in (rest, globex, rest)
    ]
    assert runs[0] == runs[2] != runs[1]
