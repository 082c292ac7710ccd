"""Questions of an agent, in one process and scaled out: killed, and answered after it."""

import json
from base64 import b64encode
from collections.abc import Iterator

import pytest

from tests.live.clients import Rest, WebSocket
from tests.live.installation import Installation
from tests.live.scaled.stack import Stack
from tests.live.server import Server
from tests.live.test_management import manager
from tests.upstream.process import UpstreamProcess

QUESTION = {"text": "Which size?", "choices": ["Small", "Large"]}
GIVEN = b64encode(json.dumps(QUESTION).encode()).decode()
ASK = f"A shirt, please. [[upstream mode=tool tools=3 input={GIVEN} pre=1 tokens=2]]"
ASKING = {"provider": "openai", "model": "m", "tools": [{"builtin": "ask_user"}]}


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


async def test_answers_come_over_both_doors_and_after_a_kill(server: Server) -> None:
    key = manager(server, "acme", "chat,conversations:read,agents:write")
    async with Rest(server.url, key) as rest:
        assert (await rest.request("PATCH", "/api/agents/acme-agent", json=ASKING)).is_success
        asked = await rest.post("/api/chat", json={"message": ASK})
        assert (asked.status_code, asked.json()["status"]) == (202, "waiting"), asked.text
        run, pending = asked.json()["runId"], asked.json()["pending"]
        assert [(call["kind"], call["text"]) for call in pending] == [
            ("question", "Which size?")
        ] * 3
        assert pending[0]["choices"] == ["Small", "Large"] and pending[0]["expiresAt"]
    server.kill()
    server.start()
    first, second, third = (call["id"] for call in pending)
    async with Rest(server.url, key) as rest:
        assert (await rest.waiting(run))["pending"] == pending
        path = f"/api/runs/{run}/answers"
        refusals = (
            ({"id": first, "text": "Medium"}, 400, "invalid_message"),
            ({"id": first}, 400, "invalid_message"),
            ({"id": "call_none", "text": "Large"}, 404, "question_not_found"),
        )
        for body, status, code in refusals:
            refused = await rest.post(path, json=body)
            assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
        answered = await rest.post(path, json={"id": first, "text": "Large"})
        assert (answered.status_code, answered.json()) == (200, {"id": first, "runId": run})
        again = await rest.post(path, json={"id": first, "text": "Small"})
        assert (again.status_code, again.json()["error"]["code"]) == (409, "already_decided")
        async with await WebSocket.open(server.ws_url, key) as ws:
            await ws.send(type="answer", id=second, text="Small")
            refused = await ws.until("error")  # it follows nothing: which run is it?
            assert (refused["code"], refused["replyTo"]) == ("question_not_found", second)
            await ws.send(type="answer", id=second, text="Small", runId=run)
            await ws.send(type="resume", runId=run, lastSeq=0)
            await ws.send(type="answer", id=third, decline=True)
            await ws.until("done")
        described = (await rest.get(f"/api/runs/{run}")).json()
        assert described["status"] == "completed"
        message = (await rest.messages(described["conversationId"]))[-1]
    results = [(tool["result"], tool["isError"]) for tool in message["tools"]]
    assert results[:2] == [("Large", False), ("Small", False)]
    assert results[2][1] and "not want to answer" in results[2][0]
