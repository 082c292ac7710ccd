"""`conversations.transports.rest.api`: ask and wait, runs, and what becomes of conversations."""

import pytest

from agents.auth import keys
from auditing.models import AuditEvent
from conversations.models import Conversation, Run
from core.database import database_step
from tests.asgi import Socket, ask
from tests.conversations.history.talks import talk
from tests.conversations.parts import ENDLESS, QUICK
from tests.conversations.transports.rights import API

pytestmark = pytest.mark.usefixtures("services")


async def test_the_whole_answer_comes_in_one_response(key) -> None:
    status, told = await ask("POST", f"{API}/chat", {"message": QUICK}, token=key[1])
    assert (status, told["content"], told["stopReason"]) == (200, "Hello there", "end_turn")
    status, run = await ask("GET", f"/api/runs/{told['runId']}", token=key[1])
    assert (status, run["status"]) == (200, "completed")
    assert (run["messageId"], run["content"]) == (told["messageId"], "Hello there")


async def test_p24_a_stranger_finds_neither_the_run_nor_the_conversation(key, foreign_key) -> None:
    _, told = await ask("POST", f"{API}/chat", {"message": QUICK}, token=key[1])
    run, conversation = f"/api/runs/{told['runId']}", f"/api/conversations/{told['conversationId']}"
    for method, path, code in (
        ("GET", run, "run_not_found"),
        ("POST", f"{run}/cancel", "run_not_found"),
        ("POST", f"{conversation}/cancel", "conversation_not_found"),
        ("PATCH", conversation, "conversation_not_found"),
        ("DELETE", conversation, "conversation_not_found"),
    ):
        status, refused = await ask(method, path, token=foreign_key[1])
        assert (status, refused["error"]["code"]) == (404, code)


async def test_a_run_is_stopped_from_another_connection(key) -> None:
    async with Socket(f"{API}/ws") as socket:
        socket.say(type="auth", token=key[1])
        await socket.next("auth_ok")
        socket.say(type="message", content=ENDLESS)
        run_id = (await socket.next("run_started"))["runId"]
        await socket.next("token")
        status, told = await ask("POST", f"/api/runs/{run_id}/cancel", token=key[1])
        assert (status, told["id"]) == (202, run_id)
        assert (await socket.next("done"))["reason"] == "cancelled"
    row = await database_step(Run.objects.get, pk=run_id)
    assert row.status == "cancelled"


async def test_a_conversation_is_made_named_and_erased(key, acme) -> None:
    path, token = "/api/conversations", key[1]
    status, made = await ask("POST", path, {"id": "docs-1", "title": "Docs"}, token=token)
    assert (status, made["id"], made["title"]) == (201, "docs-1", "Docs")
    status, told = await ask("POST", path, {"id": "docs-1"}, token=token)
    assert (status, told["error"]["code"]) == (409, "conversation_exists")
    status, told = await ask("PATCH", f"{path}/docs-1", {"title": "Guide"}, token=token)
    assert (status, told["title"]) == (200, "Guide")
    row = await database_step(Conversation.objects.get, alias="docs-1")
    assert (await ask("DELETE", f"{path}/docs-1", token=token))[0] == 204
    assert (await ask("GET", f"{path}/docs-1", token=token))[0] == 404
    kept = await database_step(AuditEvent.objects.get, action="conversation.deleted")
    assert (kept.organization_id, kept.subject_id) == (acme.id, row.pk)


async def test_only_an_admin_stops_everything(key) -> None:
    status, told = await ask("POST", "/api/runs/cancel", token=key[1])
    assert (status, told["error"]["code"]) == (403, "forbidden")


async def test_a_question_has_versions(key) -> None:
    _, first = await ask("POST", f"{API}/chat", {"message": QUICK}, token=key[1])
    path = f"/api/conversations/{first['conversationId']}/messages"
    _, history = await ask("GET", path, token=key[1])
    question = history["messages"][0]["id"]
    body = {"message": "/delay 1\n/echo Again", "replaces": question}
    assert (await ask("POST", f"{API}/chat", body, token=key[1]))[0] == 200
    _, history = await ask("GET", path, token=key[1])
    current = history["messages"][0]["id"]
    status, told = await ask("GET", f"/api/messages/{current}/versions", token=key[1])
    assert status == 200
    answers = [each["content"] for each in told["messages"] if each["role"] == "assistant"]
    assert answers == ["Hello there", "Again"]


async def test_a_visitor_who_is_erased_is_in_the_audit_log(agent, acme) -> None:
    admin = await database_step(keys.create_key, acme, name="a", scopes=["agents:write"])
    said = await database_step(talk, agent, "Where is my order?")
    path = f"/api/agents/{agent.id}/visitors/anon:v1"
    assert (await ask("DELETE", path, token=admin[1]))[0] == 204
    assert not await database_step(Conversation.objects.filter(pk=said.pk).exists)
    kept = await database_step(list, AuditEvent.objects.filter(action__endswith=".deleted"))
    assert [(each.action, each.subject_id) for each in kept] == [("visitor.deleted", "anon:v1")]
