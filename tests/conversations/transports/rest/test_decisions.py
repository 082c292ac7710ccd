"""`conversations.transports.rest.decisions`: what runs wait for, and the decisions about it."""

from typing import Any

import pytest

from agents.auth import keys
from tests.asgi import Response, ask

pytestmark = pytest.mark.usefixtures("services", "tooled")

DECIDING = ["chat", "conversations:read", "runs:approve"]


@pytest.fixture
def tooled(agent) -> None:
    """Acme's agent has a tool that needs an approval, and one that asks."""
    agent.tools = [
        {"builtin": "calculator", "approval": "always"},
        {"builtin": "ask_user"},
    ]
    agent.save()


@pytest.fixture
def approver(agent) -> str:
    """A key of acme that may decide."""
    return keys.create_key(agent.organization, name="approver", scopes=DECIDING)[1]


@pytest.fixture
def stranger(globex, foreign_agent) -> str:
    """A key of globex that may decide."""
    return keys.create_key(globex, name="stranger", scopes=DECIDING)[1]


async def waiting(token: str, message: str) -> dict[str, Any]:
    """The run that waits after this message."""
    status, told = await ask("POST", "/api/chat", {"message": message}, token=token)
    assert status == 202, told
    return dict(told)


async def events(token: str, run_id: str) -> str:
    """Everything of a run, to its end."""
    async with Response("GET", f"/api/runs/{run_id}/events", token=token) as response:
        await response.ended()
    return response.text


async def test_an_approved_call_is_carried_out(key, approver) -> None:
    run_id = (await waiting(key[1], "/approve 6 * 7"))["runId"]
    status, listed = await ask("GET", "/api/approvals?status=pending", token=approver)
    (asked,) = listed["approvals"]
    assert (status, asked["runId"], asked["tool"]) == (200, run_id, "calculator")
    path = f"/api/runs/{run_id}/approvals/{asked['id']}"
    wrong = {"approve": True, "argsDigest": "0" * 64}
    status, told = await ask("POST", path, wrong, token=approver)
    assert (status, told["error"]["code"]) == (409, "digest_mismatch")
    verdict = {"approve": True, "argsDigest": asked["argsDigest"]}
    status, decided = await ask("POST", path, verdict, token=approver)
    assert (status, decided["status"]) == (200, "approved")
    assert "42" in await events(key[1], run_id)
    status, told = await ask("POST", path, verdict | {"approve": False}, token=approver)
    assert (status, told["error"]["code"]) == (409, "already_decided")


async def test_a_question_is_answered(key) -> None:
    told = await waiting(key[1], "/ask Which day?")
    (asked,) = told["pending"]
    path = f"/api/runs/{told['runId']}/answers"
    status, decided = await ask("POST", path, {"id": asked["id"], "text": "Monday"}, token=key[1])
    assert (status, decided["runId"]) == (200, told["runId"])
    assert "Monday" in await events(key[1], told["runId"])


async def test_p24_a_stranger_decides_nothing(key, stranger, approver) -> None:
    run_id = (await waiting(key[1], "/approve 1 + 1"))["runId"]
    (asked,) = (await ask("GET", "/api/approvals", token=approver))[1]["approvals"]
    path = f"/api/runs/{run_id}"
    for action, body, code in (
        (
            f"approvals/{asked['id']}",
            {"approve": True, "argsDigest": asked["argsDigest"]},
            "approval_not_found",
        ),
        ("answers", {"id": asked["id"], "text": "x"}, "question_not_found"),
        ("tool-results", {"id": asked["id"], "result": "x"}, "tool_call_not_found"),
    ):
        status, told = await ask("POST", f"{path}/{action}", body, token=stranger)
        assert (status, told["error"]["code"]) == (404, code)


async def test_a_key_without_the_scope_neither_lists_nor_decides(key) -> None:
    run_id = (await waiting(key[1], "/approve 1 + 1"))["runId"]
    status, told = await ask("GET", "/api/approvals", token=key[1])
    assert (status, told["error"]["code"]) == (403, "forbidden")
    body = {"approve": True, "argsDigest": "0" * 64}
    status, told = await ask("POST", f"/api/runs/{run_id}/approvals/x", body, token=key[1])
    assert (status, told["error"]["code"]) == (403, "forbidden")


async def test_an_unknown_status_is_refused(approver) -> None:
    status, told = await ask("GET", "/api/approvals?status=perhaps", token=approver)
    assert (status, told["error"]["details"]) == (400, {"field": "status"})
