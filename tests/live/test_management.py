"""Agents, keys and usage over REST, with two organisations that must not meet."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator

import pytest

from tests.live.clients import Event, Rest, WebSocket
from tests.live.raw import aborted, call_of, new_tag
from tests.live.server import Server
from tests.live.test_docs import shape, shown
from tests.upstream.process import UpstreamProcess

SCOPES = "chat,conversations:read,agents:read,agents:write,keys:write,usage:read"


def manager(server: Server, name: str, scopes: str = SCOPES) -> str:
    """A key of this organisation that may manage."""
    options = ("--agent", f"{name}-agent", "--scopes", scopes, "--json")
    return str(json.loads(server.manage("create_api_key", *options))["apiKey"])


@pytest.fixture(scope="module")
def managers(server: Server) -> dict[str, str]:
    """A managing key of each organisation."""
    return {name: manager(server, name) for name in ("acme", "globex")}


@pytest.fixture
async def acme(server: Server, managers: dict[str, str]) -> AsyncIterator[Rest]:
    async with Rest(server.url, managers["acme"]) as client:
        yield client


@pytest.fixture
async def globex(server: Server, managers: dict[str, str]) -> AsyncIterator[Rest]:
    async with Rest(server.url, managers["globex"]) as client:
        yield client


async def make_agent(rest: Rest, **fields: object) -> Event:
    answer = await rest.post("/api/agents", {"name": "Helper", "provider": "demo"} | fields)
    assert answer.status_code == 201, answer.text
    made: Event = answer.json()
    return made


async def test_it_works(server: Server, acme: Rest) -> None:
    """An agent as in a tutorial: made, asked with the same key, changed, asked again, deleted."""
    asked = {"name": "Streaming Demo Agent", "instructions": "Be kind.", "model": "claude-x"}
    agent = await make_agent(acme, **asked, provider="anthropic")
    assert {name: agent[name] for name in asked} == asked
    assert agent["slug"] == "streaming-demo-agent"

    answer = await acme.post("/api/chat", {"message": "Hello", "agentId": agent["id"]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["usage"]["model"] == "claude-x"

    changed = await acme.request("PATCH", f"/api/agents/{agent['slug']}", json={"provider": "demo"})
    assert (changed.json()["provider"], changed.json()["instructions"]) == ("demo", "Be kind.")
    answer = await acme.post(f"/a/{agent['slug']}/api/chat", {"message": "/echo Hi"})
    assert answer.json()["usage"]["model"] == "demo"

    assert (await acme.request("DELETE", f"/api/agents/{agent['id']}")).status_code == 204
    gone = await acme.post("/api/chat", {"message": "Hello", "agentId": agent["id"]})
    assert gone.json()["error"]["code"] == "agent_not_found"


async def test_who_watches_an_agent_that_is_deleted_sees_the_end(
    server: Server, acme: Rest, managers: dict[str, str]
) -> None:
    """P5: one outcome and `done`, before the rows are gone."""
    agent = await make_agent(acme)
    async with await WebSocket.open(server.ws_url) as ws:
        await ws.send(type="auth", token=managers["acme"], agentId=agent["id"])
        await ws.send(type="message", content="/slow Hello")
        await ws.until("token")
        assert (await acme.request("DELETE", f"/api/agents/{agent['id']}")).status_code == 204
        assert (await ws.until("done"))["reason"] == "cancelled"


async def test_a_chat_with_another_agent_leaves_the_sockets_conversation(
    server: Server, acme: Rest, managers: dict[str, str]
) -> None:
    one, other = await make_agent(acme), await make_agent(acme)
    async with await WebSocket.open(server.ws_url) as ws:
        await ws.send(type="auth", token=managers["acme"], agentId=one["id"])
        mine = (await ws.ask("/echo one"))[1]["conversationId"]
        turns = [{"role": "user", "content": "/echo two"}]
        await ws.send(type="chat", agentId=other["id"], messages=turns)
        assert (await ws.until("run_started"))["conversationId"] != mine
        await ws.until("done")
        assert (await ws.ask("/echo three"))[0]["conversationId"] == mine


async def test_p24_charlie_gets_404(acme: Rest, globex: Rest) -> None:
    """P24: another organisation's agents and keys are answered like those that do not exist."""
    agent = await make_agent(acme)
    key = (await acme.post(f"/api/agents/{agent['id']}/keys", {"scopes": ["chat"]})).json()
    mine = await make_agent(globex)

    def addresses(agent_id: str, key_id: str) -> list[tuple[str, str]]:
        return [
            *((method, f"/api/agents/{agent_id}") for method in ("GET", "PATCH", "DELETE")),
            *((method, f"/api/agents/{agent_id}/keys") for method in ("GET", "POST")),
            ("POST", f"/api/agents/{agent_id}/keys/{key_id}/rotate"),
            ("POST", f"/api/agents/{agent_id}/keys/{key_id}/revoke"),
        ]

    async def answers(client: Rest, agent_id: str, key_id: str) -> list[tuple[int, str, str]]:
        found = []
        for method, path in addresses(agent_id, key_id):
            answer = await client.request(method, path, json={})
            error = answer.json()["error"]
            found.append((answer.status_code, error["code"], error["message"]))
        return found

    foreign = await answers(globex, agent["id"], key["id"])
    assert foreign == await answers(globex, "agt_missing", "key_missing")
    assert {status for status, *_ in foreign} == {404}
    through_mine = f"/api/agents/{mine['id']}/keys/{key['id']}/revoke"
    assert (await globex.post(through_mine)).status_code == 404
    listed = (await globex.get("/api/agents")).json()["agents"]
    assert agent["id"] not in [each["id"] for each in listed]
    assert (await acme.get(f"/api/agents/{agent['id']}")).status_code == 200


async def test_a_rotated_key_and_its_successor_are_both_valid_for_the_overlap(
    server: Server, acme: Rest
) -> None:
    """P23: and they share the conversations; when the overlap is over only the new one is left."""
    agent = await make_agent(acme)
    keys = f"/api/agents/{agent['id']}/keys"
    old = (await acme.post(keys, {"name": "app", "scopes": ["chat"]})).json()
    rotated = await acme.post(f"{keys}/{old['id']}/rotate", {"overlapSeconds": 3600})
    new = rotated.json()
    assert (rotated.status_code, new["rotatedFrom"]) == (201, old["id"])
    assert (new["name"], new["scopes"], new["agents"]) == ("app", ["chat"], [agent["id"]])

    async with Rest(server.url, old["apiKey"]) as first, Rest(server.url, new["apiKey"]) as second:
        asked = {"message": "/echo Hi", "conversationId": "shared"}
        mine = (await first.post("/api/chat", asked)).json()
        run = await second.get(f"/api/runs/{mine['runId']}")
        assert run.json()["conversationId"] == "shared"

        again = await acme.post(f"{keys}/{old['id']}/rotate", {"overlapSeconds": 0})
        assert again.status_code == 201
        ended = await first.get(f"/api/runs/{mine['runId']}")
        assert (ended.status_code, ended.json()["error"]["code"]) == (401, "token_expired")
        assert (await second.get(f"/api/runs/{mine['runId']}")).status_code == 200

    listed = (await acme.get(keys)).json()["keys"]
    assert all({"apiKey", "digest"}.isdisjoint(key) for key in listed)
    assert old["apiKey"].split("_")[2][8:] not in json.dumps(listed)


async def test_the_command_rotates_too(server: Server, acme: Rest) -> None:
    agent = await make_agent(acme)
    old = (await acme.post(f"/api/agents/{agent['id']}/keys", {"scopes": ["chat"]})).json()
    made = server.manage("rotate_api_key", old["prefix"], "--overlap", "1h", "--json")
    async with Rest(server.url, json.loads(made)["apiKey"]) as client:
        assert (await client.post("/api/chat", {"message": "/echo Hi"})).status_code == 200


async def test_p22_a_key_revoked_over_rest_opens_nothing(server: Server, acme: Rest) -> None:
    agent = await make_agent(acme)
    keys = f"/api/agents/{agent['id']}/keys"
    made = (await acme.post(keys, {"scopes": ["chat"]})).json()
    async with Rest(server.url, made["apiKey"]) as client:
        assert (await client.post("/api/chat", {"message": "/echo Hi"})).status_code == 200
        revoked = await acme.post(f"{keys}/{made['id']}/revoke")
        assert revoked.json()["revokedAt"]
        refused = await client.post("/api/chat", {"message": "/echo Hi"})
        assert refused.json()["error"]["code"] == "key_revoked"


async def test_deleting_an_agent_stops_what_it_says(acme: Rest, upstream: UpstreamProcess) -> None:
    agent, tag = await make_agent(acme, provider="anthropic"), new_tag()
    endless = {
        "message": f"go [[upstream tokens=5000 delay=5 tag={tag}]]",
        "agentId": agent["id"],
        "conversationId": tag,
    }
    asking = asyncio.create_task(acme.post("/api/chat", endless))
    await call_of(upstream, tag)
    assert (await acme.request("DELETE", f"/api/agents/{agent['id']}")).status_code == 204
    await aborted(upstream, tag)
    answer = (await asking).json()  # an end, be it from just before the rows are gone or after
    assert answer.get("stopReason") == "cancelled" or answer["error"]["code"] == "run_not_found"
    history = await acme.get(f"/api/conversations/{tag}/messages")
    assert history.json()["error"]["code"] == "conversation_not_found"


async def test_usage_adds_up_and_stays_in_its_organisation(acme: Rest, globex: Rest) -> None:
    """P13, P24: the report is the sum of the runs, by agent, key, day and model."""
    before = (await globex.get("/api/usage")).json()["total"]
    agent = await make_agent(acme)
    spent = [
        (await acme.post("/api/chat", {"message": "/echo one two", "agentId": agent["id"]})).json()
        for _ in range(3)
    ]
    report = (await acme.get("/api/usage", groupBy="agent")).json()
    (mine,) = [row for row in report["rows"] if row["agentId"] == agent["id"]]
    assert mine["runs"] == 3
    assert mine["statuses"] == {"completed": 3}
    for name in ("inputTokens", "outputTokens", "totalTokens"):
        assert mine[name] == sum(answer["usage"][name] for answer in spent)
    assert (mine["cost"], mine["unpricedRuns"]) == (0.0, 0)
    for groups in ("day", "key", "model", "day,agent,model,key"):
        report = (await acme.get("/api/usage", groupBy=groups)).json()
        assert report["groupBy"] == groups.split(",")
        assert (
            sum(each["totalTokens"] for each in report["rows"]) == (report["total"]["totalTokens"])
        )
        table = await acme.request(
            "GET", f"/api/usage?groupBy={groups}", headers={"Accept": "text/csv"}
        )
        lines = list(csv.DictReader(io.StringIO(table.text)))
        assert sum(int(line["totalTokens"]) for line in lines) == report["total"]["totalTokens"]
    assert (await globex.get("/api/usage")).json()["total"] == before


async def test_a_scope_is_needed_for_each(server: Server, rest: Rest) -> None:
    paths = ("/api/agents", "/api/agents/acme-agent/keys", "/api/usage")
    for path in paths:
        assert (await rest.get(path)).json()["error"]["code"] == "forbidden"
    for path in paths[:2]:
        assert (await rest.post(path, {"name": "x"})).json()["error"]["code"] == "forbidden"


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/api/agents", {"name": "x", "baseUrl": "ftp://x"}, "baseUrl"),
        ("POST", "/api/agents", {"name": "x", "slug": "www"}, "slug"),
        ("POST", "/api/agents", {"name": 1}, "name"),
        ("PATCH", "/api/agents/acme-agent", {"ifBusy": "perhaps"}, "ifBusy"),
        ("POST", "/api/agents/acme-agent/keys", {"scopes": ["magic"]}, "scopes"),
        ("POST", "/api/agents/acme-agent/keys", {"expiresAt": "soon"}, "expiresAt"),
        ("GET", "/api/agents?limit=0", None, "limit"),
        ("GET", "/api/agents?before=%00", None, "before"),
        ("GET", "/api/usage?from=2026-13-01", None, "from"),
        ("GET", "/api/usage?from=0001-01-01", None, "from"),
        ("GET", "/api/usage?to=2026-01-01&from=2026-01-02", None, "from"),
        ("GET", "/api/usage?groupBy=mood", None, "groupBy"),
        ("GET", "/api/usage?groupBy=day,", None, "groupBy"),
    ],
)
async def test_what_is_wrong_is_named(
    acme: Rest, method: str, path: str, body: Event | None, field: str
) -> None:
    answer = await acme.request(method, path, json=body)
    assert (answer.status_code, answer.json()["error"]["details"]) == (400, {"field": field})


async def test_the_answers_shown_in_the_documents_have_the_shape_of_the_real_ones(
    acme: Rest,
) -> None:
    shown_fields = {"prompts": ["Why?"], "widget": {"accent": "#0a7", "position": "left"}}
    agent = await make_agent(acme, allowedOrigins=["https://example.com"], **shown_fields)
    keys = f"/api/agents/{agent['id']}/keys"
    made = (await acme.post(keys, {"scopes": ["chat"]})).json()
    await acme.post(f"{keys}/{made['id']}/rotate")
    await acme.post("/api/chat", {"message": "/echo Hi", "agentId": agent["id"]})
    listed = (await acme.get(keys)).json()
    usage = (await acme.get("/api/usage", groupBy="agent")).json()
    for sums in (usage["rows"][-1], usage["total"]):
        sums["statuses"] = {"completed": 1}  # whatever else has run before
    real = {
        "GET /api/agents": (await acme.get("/api/agents", limit="1")).json(),
        "GET /api/agents/{id}/keys": listed | {"keys": listed["keys"][:1]},
        "GET /api/usage": usage,
    }
    for title, value in real.items():
        assert shape(shown(title)[0]) == shape(value), title


async def test_a_run_says_which_version_has_answered(
    acme: Rest, server: Server, upstream: UpstreamProcess
) -> None:
    """A draft is tried, published and taken back; a key stays with its version."""
    agent = await make_agent(acme, provider="anthropic", instructions="ONE")
    own, chat = f"/api/agents/{agent['id']}", f"/a/{agent['slug']}/api/chat"
    pinned = (await acme.post(f"{own}/keys", {"agentVersion": 1, "scopes": ["chat"]})).json()
    await acme.request("PATCH", f"{own}/draft", json={"instructions": "TWO"})

    async def told(rest: Rest = acme, **more: object) -> tuple[int | None, str]:
        """The version that answers a message, and what its model is told first."""
        message = f"go [[upstream tokens=2 tag={(tag := new_tag())}]]"
        answer = (await rest.post(chat, {"message": message} | more)).json()
        run = (await acme.get(f"/api/runs/{answer['runId']}")).json()
        return run["agentVersion"], str(upstream.requests(tag)[0]["body"]["system"])

    assert (await acme.post(f"{own}/test")).json()["ok"]
    assert await told() == (1, "ONE")
    assert await told(agentVersion="draft") == (None, "TWO")
    assert (await acme.post(f"{own}/publish", {"note": "Second."})).json()["version"] == 2
    assert await told() == (2, "TWO")
    assert await told(agentVersion=1) == (1, "ONE")
    async with Rest(server.url, pinned["apiKey"]) as other:
        assert await told(other) == (1, "ONE")
        refused = await other.post(chat, {"message": "Hello", "agentVersion": 2})
    assert refused.json()["error"]["code"] == "forbidden"
    assert (await acme.post(f"{own}/rollback", {"version": 1})).json()["published"]
    async with await WebSocket.open(server.ws_url) as socket:
        await socket.send(type="auth", token=acme.token, agentId=agent["id"])
        await socket.until("auth_ok")
        tags = [new_tag(), new_tag()]
        await socket.ask(f"go [[upstream tokens=2 tag={tags[0]}]]")
        await socket.ask(f"go [[upstream tokens=2 tag={tags[1]}]]", agentVersion=2)
    given = [str(upstream.requests(tag)[0]["body"]["system"]) for tag in tags]
    assert given == ["ONE", "TWO"]
