"""What a visitor may do and see: nothing of anybody else, and nothing but chat (P27, P33)."""

import json

import httpx

from tests.live.clients import Rest
from tests.live.raw import new_tag
from tests.live.visiting import Visitor

ASK = "go [[upstream tokens=3]]"


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_p27_visitors_see_nothing_of_each_other(ada: Visitor, bert: Visitor) -> None:
    """Another's conversation or run is like one that is not there, at every door."""
    made = (await ada.rest.post("/api/chat", {"message": ASK, "conversationId": "mine"})).json()
    inner = (await ada.rest.get(f"/api/runs/{made['runId']}")).json()
    for path in (
        *(f"/api/runs/{made['runId']}", f"/api/runs/{made['runId']}/events"),
        *("/api/conversations/mine", "/api/conversations/mine/messages"),
        *(f"/api/chat/stream?runId={made['runId']}", "/api/chat/stream?conversationId=mine"),
        "/api/conversations/mine/messages?stream=true",
    ):
        answer = await bert.rest.request("GET", path)
        assert answer.status_code == 404, path
    cancelled = await bert.rest.post(f"/api/runs/{made['runId']}/cancel")
    assert code(cancelled) == (404, "run_not_found")
    for method in ("PATCH", "DELETE"):
        answer = await bert.rest.request(method, "/api/conversations/mine", json={"title": "x"})
        assert answer.status_code == 404
    resumed = await bert.rest.request(
        "POST",
        "/api/chat/stream",
        json={"message": ASK},
        headers={"Last-Event-ID": f"{made['runId']}:1"},
    )
    assert resumed.status_code == 404
    async with await bert.socket() as socket:
        for frame in (
            {"type": "resume", "runId": made["runId"]},
            {"type": "resume", "conversationId": "mine"},
            {"type": "subscribe", "conversationId": "mine"},
            {"type": "cancel", "runId": made["runId"]},
        ):
            await socket.send(**frame)
            assert (await socket.next())["code"].endswith("_not_found")
    # The same name is a conversation of bert's own, and the same message id too.
    body = {"message": ASK, "conversationId": "mine", "clientMessageId": "one"}
    first = (await bert.rest.post("/api/chat", body)).json()
    assert (await ada.rest.post("/api/chat", body)).json()["runId"] != first["runId"]
    assert len(await ada.rest.messages("mine")) == 4
    assert len(await bert.rest.messages("mine")) == 2
    assert inner["conversationId"] == "mine"


async def test_p27_a_visitor_and_a_key_see_nothing_of_each_other(ada: Visitor, rest: Rest) -> None:
    theirs = (await rest.post("/api/chat", {"message": ASK})).json()
    assert (await ada.rest.get(f"/api/runs/{theirs['runId']}")).status_code == 404
    mine = (await ada.rest.post("/api/chat", {"message": ASK})).json()
    assert (await rest.get(f"/api/runs/{mine['runId']}")).status_code == 404
    assert mine["conversationId"] not in (await rest.get("/api/conversations", limit=200)).text


async def test_p33_a_visitor_may_chat_and_nothing_else(ada: Visitor) -> None:
    agent = ada.agent["id"]
    for method, path in (
        *(("GET", "/api/agents"), ("POST", "/api/agents"), ("GET", f"/api/agents/{agent}")),
        *(("PATCH", f"/api/agents/{agent}"), ("DELETE", f"/api/agents/{agent}")),
        *(("GET", f"/api/agents/{agent}/keys"), ("POST", f"/api/agents/{agent}/keys")),
        *(("GET", "/api/usage"), ("POST", "/api/runs/cancel")),
    ):
        answer = await ada.rest.request(method, path, json={"name": "x"} if method != "GET" else {})
        assert code(answer) == (403, "forbidden"), path
    history = {
        "messages": [{"role": "assistant", "content": "x"}, {"role": "user", "content": "y"}]
    }
    for path in ("/api/chat", "/api/chat/stream"):
        assert code(await ada.rest.post(path, history)) == (403, "forbidden")
    async with await ada.socket() as socket:
        await socket.send(type="chat", **history)
        assert (await socket.next())["code"] == "forbidden"


async def test_a_post_of_one_visitor_is_not_another_s(ada: Visitor, bert: Visitor) -> None:
    """`Idempotency-Key` belongs to the visitor."""
    key = {"Idempotency-Key": new_tag()}
    made = [
        (await each.rest.post("/api/conversations", {}, headers=key)).json()["id"]
        for each in (ada, ada, bert)
    ]
    assert made[0] == made[1] != made[2]


async def test_what_a_visitor_sees_is_what_the_agent_shows(ada: Visitor, manager: Rest) -> None:
    """P27: thinking is in the log, but not in what a visitor gets, live or later."""
    await manager.request("PATCH", "/api/agents/acme-agent", json={"thinking": True})
    body = {"message": "go [[upstream think=5 tokens=3]]", "conversationId": "thoughts"}
    answer = (await ada.rest.post("/api/chat", body)).json()
    assert "thinking" not in (await ada.rest.messages("thoughts"))[-1]
    async with await ada.socket() as socket:
        await socket.send(type="resume", runId=answer["runId"])
        assert "thinking" not in (await socket.until("snapshot"))["message"]
        await socket.send(type="resume", runId=answer["runId"], lastSeq=0)
        await socket.until("done")
        assert {"thinking", "step"}.isdisjoint(event["type"] for event in socket.events)
    assert "thinking" not in json.dumps((await ada.rest.get(f"/api/runs/{answer['runId']}")).json())
