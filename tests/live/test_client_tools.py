"""Tools that the client carries out, in one process and scaled out: killed while it works."""

from collections.abc import Iterator

import pytest

from tests.live.clients import Rest, WebSocket
from tests.live.installation import Installation
from tests.live.scaled.stack import Stack
from tests.live.server import Server
from tests.live.test_management import manager
from tests.upstream.process import UpstreamProcess

STOCK = {
    "name": "stock",
    "description": "How many there are.",
    "inputSchema": {"type": "object", "properties": {"query": {"type": "string"}}},
}
ASK = "How many? [[upstream mode=tool tool=stock tools=2 pre=1 tokens=2]]"


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


async def test_results_come_over_both_doors_and_after_a_kill(server: Server) -> None:
    key = manager(server, "acme", "chat,conversations:read,agents:write")
    async with Rest(server.url, key) as rest:
        changed = {"provider": "openai", "model": "m"}
        assert (await rest.request("PATCH", "/api/agents/acme-agent", json=changed)).is_success
        asked = await rest.post("/api/chat", json={"message": ASK, "tools": [STOCK]})
        assert (asked.status_code, asked.json()["status"]) == (202, "waiting"), asked.text
        run, pending = asked.json()["runId"], asked.json()["pending"]
        first, second = pending
        assert first == {
            "kind": "client_tool",
            "id": first["id"],
            "tool": "stock",
            "args": {"query": "weather"},
        }
    server.kill()
    server.start()
    async with Rest(server.url, key) as rest:
        assert (await rest.waiting(run))["pending"] == pending
        path = f"/api/runs/{run}/tool-results"
        unknown = await rest.post(path, json={"id": "call_none", "result": 1})
        assert unknown.status_code == 404
        assert unknown.json()["error"]["code"] == "tool_call_not_found"
        given = {"id": first["id"], "result": {"count": 3}}
        answer = await rest.post(path, json=given)
        assert (answer.status_code, answer.json()) == (200, {"id": first["id"], "runId": run})
        again = await rest.post(path, json=given)
        assert (again.status_code, again.json()["error"]["code"]) == (409, "already_decided")
        async with await WebSocket.open(server.ws_url, key) as ws:
            await ws.send(type="resume", runId=run, lastSeq=0)
            await ws.send(type="tool_result", id=second["id"], result="none left", isError=True)
            await ws.until("done")
        described = (await rest.get(f"/api/runs/{run}")).json()
        assert described["status"] == "completed"
        message = (await rest.messages(described["conversationId"]))[-1]
    results = [(tool["client"], tool["result"], tool["isError"]) for tool in message["tools"]]
    assert results == [(True, {"count": 3}, False), (True, "none left", True)]
    assert "RESULT<" in message["content"]


async def test_a_client_answers_while_the_model_still_speaks(server: Server) -> None:
    """It hears of a call at once, and the run asks for the result only at the end of the turn."""
    key = manager(server, "acme", "chat,conversations:read,agents:write")
    async with await WebSocket.open(server.ws_url, key) as ws:
        await ws.send(type="message", content=ASK, tools=[STOCK])
        for _ in range(2):
            call = await ws.until("tool_call")
            await ws.send(type="tool_result", id=call["id"], result=call["args"])
        assert (await ws.until("done"))["reason"] == "complete"
