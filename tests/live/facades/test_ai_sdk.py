"""Chats of the AI SDK, by the library's own transport in three versions."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live.clients import TIMEOUT, Rest
from tests.live.programs import run
from tests.live.raw import aborted, call_of, new_tag
from tests.live.server import Server
from tests.live.visiting import Visitor
from tests.upstream.process import UpstreamProcess

pytestmark = pytest.mark.node

PROGRAM = Path(__file__).parent / "node" / "ai_sdk.mjs"
PACKAGES = ("ai-v5", "ai-v6", "ai")
TOKENS = "Hello [[upstream tokens=40 delay=10]]"
TEXT = "".join(f"w{i} " for i in range(40))
LONG = "go [[upstream tokens=5000 delay=5 tag=%s]]"


@pytest.fixture(params=PACKAGES)
def package(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def chat(server: Server, package: str, scenario: str, message: str, name: str) -> Any:
    """Carry out a scenario of the program; its report."""
    printed = await run(
        "js",
        PROGRAM,
        PACKAGE=package,
        URL=server.url,
        API_KEY=server.keys.acme,
        SCENARIO=scenario,
        MESSAGE=message,
        CHAT=name,
    )
    return json.loads(printed)


def text_of(message: Any) -> str:
    return "".join(part["text"] for part in message["parts"] if part["type"] == "text")


def asks(name: str, text: str, **fields: Any) -> dict[str, Any]:
    parts = [{"type": "text", "text": text}]
    return {"id": name, "message": {"role": "user", "parts": parts}, **fields}


async def test_it_works(server: Server, rest: Rest, package: str) -> None:
    name = new_tag()
    report = await chat(server, package, "ask", f"{TOKENS} [[upstream think=3]]", name)
    message = report["message"]
    assert text_of(message) == TEXT
    assert report["types"][:2] == ["start", "start-step"]
    assert report["types"][-2:] == ["finish-step", "finish"]
    assert message["metadata"]["usage"]["totalTokens"] > 0
    stored = (await rest.get(f"/api/conversations/{name}/messages")).json()["messages"][-1]
    assert (stored["id"], stored["content"]) == (message["id"], TEXT)
    assert stored["runId"] == message["metadata"]["runId"]


async def test_a_client_that_left_comes_back_and_has_all_of_it(
    server: Server, package: str
) -> None:
    report = await chat(server, package, "resume", TOKENS, new_tag())
    assert TEXT.startswith(report["begun"])
    assert (text_of(report["message"]), report["after"]) == (TEXT, None)


async def test_stop_works_after_resume(
    server: Server, upstream: UpstreamProcess, package: str
) -> None:
    tag = new_tag()
    report = await chat(server, package, "stop", LONG % tag, new_tag())
    assert report["types"][-1] == "abort"
    assert (report["statuses"], report["after"]) == ([200, 200], None)
    assert await aborted(upstream, tag)


async def test_tools_of_the_client_end_the_answer_and_their_results_go_on(
    server: Server, upstream: UpstreamProcess, package: str
) -> None:
    tag = new_tag()
    asking = f"Rome? [[upstream mode=tool tool=get_weather pre=2 tokens=3 tag={tag}]]"
    report = await chat(server, package, "tools", asking, new_tag())
    (call,) = [part for part in report["asked"]["parts"] if part["type"] == "tool-get_weather"]
    assert call["state"] == "input-available"
    message = report["message"]
    assert message["id"] == report["asked"]["id"]
    (call,) = [part for part in message["parts"] if part["type"] == "tool-get_weather"]
    assert call["output"] == {"degrees": 20}
    assert [part["type"] for part in message["parts"]].count("step-start") == 2
    _, second = upstream.requests(tag)
    *_, asked, given = second["body"]["messages"]
    assert given["content"][0]["tool_use_id"] == asked["content"][-1]["id"]
    assert "20" in given["content"][0]["content"]


async def test_an_answer_is_made_anew_in_the_place_of_the_first(
    server: Server, rest: Rest, package: str
) -> None:
    name = new_tag()
    report = await chat(server, package, "regenerate", TOKENS, name)
    page = (await rest.get(f"/api/conversations/{name}/messages")).json()["messages"]
    assert [message["role"] for message in page] == ["user", "assistant"]
    assert page[-1]["id"] == report["message"]["id"] != report["first"]


async def test_an_answer_that_fails_tells_why_after_its_text(server: Server, package: str) -> None:
    message = "Hi [[upstream mode=error at=3]]"
    report = await chat(server, package, "ask", message, new_tag())
    assert text_of(report["message"]) == "w0 w1 w2 "
    assert report["types"][-2:] == ["text-end", "error"] and report["error"]


async def test_what_cannot_be_asked_is_an_error_of_the_request(
    server: Server, package: str
) -> None:
    report = await chat(server, package, "refused", "Hi", new_tag())
    assert "Send the file itself" in report["error"]


async def chunks_of(server: Server, method: str, path: str, body: Any = None) -> AsyncIterator[Any]:
    """The chunks of a stream as they come."""
    headers = {"Authorization": f"Bearer {server.keys.acme}"}
    async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
        url = f"{server.url}/api/ai-sdk/chat{path}"
        async with client.stream(method, url, json=body, headers=headers) as answer:
            assert answer.headers["x-vercel-ai-ui-message-stream"] == "v1"
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    yield json.loads(line.removeprefix("data: "))


async def test_an_approval_is_decided_over_rest_while_the_stream_waits(
    server: Server, manager: Rest
) -> None:
    tools = [{"builtin": "current_time", "approval": "always"}]
    await manager.request("PATCH", "/api/agents/acme-agent", json={"tools": tools})
    body = asks(new_tag(), "Time? [[upstream mode=tool tool=current_time tokens=2]]")
    approvals, types = [], []
    async with aclosing(chunks_of(server, "POST", "", body)) as chunks:
        async for chunk in chunks:
            types.append(chunk["type"])
            if chunk["type"] == "data-approval":
                approvals.append(approval := chunk["data"])
                if "approved" not in approval:
                    decision = {"approve": True, "argsDigest": approval["argsDigest"]}
                    path = f"/api/runs/{approval['runId']}/approvals/{approval['id']}"
                    assert (await manager.post(path, decision)).status_code == 200
    assert [approval.get("approved") for approval in approvals] == [None, True]
    assert "tool-output-available" in types and types[-1] == "finish"
    await manager.request("PATCH", "/api/agents/acme-agent", json={"tools": []})


async def test_a_chat_that_is_not_there_is_nothing_to_come_back_to(rest: Rest) -> None:
    name = new_tag()
    assert (await rest.get(f"/api/ai-sdk/chat/{name}/stream")).status_code == 204
    stopped = await rest.post(f"/api/ai-sdk/chat/{name}/stop")
    assert (stopped.status_code, stopped.json()) == (200, {"cancelled": []})


async def test_a_client_that_leaves_does_not_end_the_run(
    server: Server, rest: Rest, upstream: UpstreamProcess
) -> None:
    tag, name = new_tag(), new_tag()
    async with aclosing(chunks_of(server, "POST", "", asks(name, LONG % tag))) as chunks:
        assert (await anext(chunks))["type"] == "start"
        await call_of(upstream, tag)
    async with aclosing(chunks_of(server, "GET", f"/{name}/stream")) as chunks:
        assert "text-delta" in [(await anext(chunks))["type"] for _ in range(4)]
    stopped = (await rest.post(f"/api/ai-sdk/chat/{name}/stop")).json()["cancelled"]
    assert len(stopped) == 1


async def test_the_same_key_asks_once(rest: Rest, upstream: UpstreamProcess) -> None:
    tag = new_tag()
    body = asks(new_tag(), f"Hi [[upstream tokens=3 tag={tag}]]")
    answers = [
        await rest.post("/api/ai-sdk/chat", body, headers={"Idempotency-Key": tag})
        for _ in range(2)
    ]
    assert answers[0].content == answers[1].content
    assert len(upstream.requests(tag)) == 1


async def test_a_visitor_chats_too(ada: Visitor) -> None:
    name = new_tag()
    path = "/a/acme-agent/api/ai-sdk/chat"
    answer = await ada.rest.post(path, asks(name, "Hi [[upstream tokens=3]]"))
    assert answer.status_code == 200 and '"delta":"w0 "' in answer.text
    assert "usage" not in answer.text
