"""A run that waits for an approval, in one process and scaled out: killed, and decided after it."""

from collections.abc import Iterator

import pytest

from tests.live.clients import Rest, WebSocket
from tests.live.installation import Installation
from tests.live.scaled.stack import Stack
from tests.live.server import Server
from tests.live.test_management import manager
from tests.upstream.process import UpstreamProcess

ASK = "What time is it? [[upstream mode=tool tools=2 pre=1 tokens=2]]"
ASKING = {
    "provider": "openai",
    "model": "m",
    "tools": [{"builtin": "current_time", "approval": "always"}],
}


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


@pytest.fixture
def approver(server: Server) -> str:
    """A key of acme that may approve."""
    return manager(server, "acme", "chat,conversations:read,agents:write,runs:approve")


async def test_it_survives_a_kill_and_is_decided_over_both_doors(
    server: Server, approver: str
) -> None:
    async with Rest(server.url, approver) as rest:
        changed = await rest.request("PATCH", "/api/agents/acme-agent", json=ASKING)
        assert changed.status_code == 200, changed.text
        asked = await rest.post("/api/chat", json={"message": ASK})
        assert (asked.status_code, asked.json()["status"]) == (202, "waiting")
        run, pending = asked.json()["runId"], asked.json()["pending"]
        assert [call["kind"] for call in pending] == ["approval", "approval"]
    server.kill()
    server.start()
    async with Rest(server.url, approver) as rest:
        first, second = pending
        assert (await rest.waiting(run))["pending"] == pending
        path = f"/api/runs/{run}/approvals/"
        wrong = {"argsDigest": second["argsDigest"], "approve": True}
        refused = await rest.post(path + first["id"], json=wrong)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "digest_mismatch")
        verdict = {"argsDigest": first["argsDigest"], "approve": True}
        decided = await rest.post(path + first["id"], json=verdict)
        assert (decided.status_code, decided.json()["status"]) == (200, "approved"), decided.text
        again = await rest.post(path + first["id"], json=verdict)
        assert (again.status_code, again.json()["error"]["code"]) == (409, "already_decided")
        async with await WebSocket.open(server.ws_url, approver) as ws:
            frame = {"id": second["id"], "argsDigest": second["argsDigest"], "approve": False}
            await ws.send(type="approve", **frame, reason="Not now.")
            await ws.send(type="resume", runId=run, lastSeq=0)
            await ws.until("done")
        described = (await rest.get(f"/api/runs/{run}")).json()
        assert described["status"] == "completed"
        message = (await rest.messages(described["conversationId"]))[-1]
    done, declined = message["tools"]
    assert (done["isError"], done["approval"]["approved"]) == (False, True)
    assert (declined["isError"], declined["approval"]["reason"]) == (True, "Not now.")
