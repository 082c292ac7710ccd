"""AG-UI, by the library's own client with its verifier on."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.live.clients import Rest
from tests.live.programs import run
from tests.live.raw import aborted, new_tag
from tests.live.server import Server
from tests.live.visiting import Visitor
from tests.upstream.process import UpstreamProcess

pytestmark = pytest.mark.node

PROGRAM = Path(__file__).parent / "node" / "ag_ui.mjs"
TOKENS = "Hello [[upstream tokens=40 delay=10]]"
TEXT = "".join(f"w{i} " for i in range(40))
LONG = "go [[upstream tokens=5000 delay=5 tag=%s]]"
PATH = "/a/acme-agent/api/ag-ui"


async def client(
    server: Server, scenario: str, message: str, *, thread: str | None = None, key: str = ""
) -> Any:
    """Carry out a scenario of the program; its report."""
    printed = await run(
        "js",
        PROGRAM,
        URL=server.url,
        API_KEY=key or server.keys.acme,
        SCENARIO=scenario,
        MESSAGE=message,
        THREAD=thread or new_tag(),
    )
    return json.loads(printed)


def asks(text: str, **fields: Any) -> dict[str, Any]:
    messages = [{"id": "user-1", "role": "user", "content": text}]
    return {"threadId": new_tag(), "runId": new_tag(), "messages": messages, **fields}


def events(text: str) -> list[Any]:
    lines = [line for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


async def test_it_works(server: Server, rest: Rest) -> None:
    thread = new_tag()
    report = await client(server, "ask", TOKENS, thread=thread)
    (ran,) = report["runs"]
    assert (ran["text"], ran["outcome"]) == (TEXT, {"type": "success"})
    answer = report["messages"][-1]
    stored = (await rest.get(f"/api/conversations/{thread}/messages")).json()["messages"][-1]
    assert (answer["id"], answer["content"]) == (stored["id"], TEXT)
    assert report["state"]["mine"] == 1


async def test_thoughts_come_before_the_answer(server: Server) -> None:
    report = await client(server, "ask", "Hm [[upstream mode=thinking think=3 tokens=3]]")
    assert [message["role"] for message in report["messages"]] == ["user", "reasoning", "assistant"]


async def test_tools_of_the_client_end_the_run_and_their_results_go_on(
    server: Server, upstream: UpstreamProcess
) -> None:
    tag = new_tag()
    asking = f"Rome? [[upstream mode=tool tool=get_weather pre=2 tokens=3 tag={tag}]]"
    report = await client(server, "tools", asking)
    first, second = report["runs"]
    assert first["outcome"]["type"] == second["outcome"]["type"] == "success"
    assert "20 degrees" in second["text"]
    _, sent = upstream.requests(tag)
    *_, given = sent["body"]["messages"]
    ids = first["outcome"]["pendingToolCallIds"]
    assert [block["tool_use_id"] for block in given["content"]] == ids


async def test_an_interrupt_is_answered_by_the_next_run(
    server: Server, manager: Rest, manager_token: str, upstream: UpstreamProcess
) -> None:
    """And once: what does not wait any more is refused without a call of the model."""
    tag = new_tag()
    tools = [{"builtin": "current_time", "approval": "always"}]
    await manager.request("PATCH", "/api/agents/acme-agent", json={"tools": tools})
    asking = f"Time? [[upstream mode=tool tool=current_time tokens=2 tag={tag}]]"
    report = await client(server, "interrupt", asking, key=manager_token)
    first, second, third = report["runs"]
    (asked,) = first["outcome"]["interrupts"]
    assert asked["reason"] == "approval" and asked["metadata"]["tool"] == "current_time"
    assert second["outcome"] == {"type": "success"}
    assert second["types"][:2] == ["RUN_STARTED", "TOOL_CALL_RESULT"]
    assert "already_decided" in third["failure"]
    assert len(upstream.requests(tag)) == 2
    await manager.request("PATCH", "/api/agents/acme-agent", json={"tools": []})


async def test_the_same_run_again_is_read_from_its_beginning(
    server: Server, upstream: UpstreamProcess
) -> None:
    report = await client(server, "again", TOKENS)
    left, again = report["runs"]
    assert TEXT.startswith(left["text"]) and again["text"] == TEXT


async def test_a_run_is_stopped_by_the_name_that_its_client_gave_it(
    server: Server, upstream: UpstreamProcess
) -> None:
    tag = new_tag()
    report = await client(server, "cancel", LONG % tag)
    stopped, later = report["runs"]
    assert (report["status"], stopped["outcome"]) == (202, {"type": "cancelled"})
    assert later["text"] == "w0 w1 w2 "
    assert await aborted(upstream, tag)


async def test_a_thread_goes_on_after_a_run_that_failed(server: Server) -> None:
    report = await client(server, "fail", "Hi [[upstream mode=error at=3]]")
    failed, later = report["runs"]
    assert failed["types"][-2:] == ["TEXT_MESSAGE_END", "RUN_ERROR"]
    assert failed["error"]["code"] == "upstream_overloaded"
    assert (later["text"], later["outcome"]) == ("w0 w1 w2 ", {"type": "success"})


async def test_the_answer_to_an_interrupt_may_be_sent_again(
    manager: Rest, upstream: UpstreamProcess
) -> None:
    tools = [{"builtin": "ask_user"}]
    await manager.request("PATCH", "/api/agents/acme-agent", json={"tools": tools})
    body = asks("Ask [[upstream mode=tool tool=ask_user input=eyJ0ZXh0IjoiV2hpY2ggZGF5PyJ9]]")
    *_, ended = events((await manager.post(PATH, body)).text)
    (asked,) = ended["outcome"]["interrupts"]
    assert (asked["reason"], asked["message"]) == ("question", "Which day?")
    entry = {"interruptId": asked["id"], "status": "resolved", "payload": "Monday"}
    again = asks("", threadId=body["threadId"], messages=[], resume=[entry])
    answers = [(await manager.post(PATH, again)).text for _ in range(2)]
    assert answers[0] == answers[1] and events(answers[0])[-1]["type"] == "RUN_FINISHED"
    assert events((await manager.post(PATH, body)).text)[-1]["outcome"] == ended["outcome"]
    await manager.request("PATCH", "/api/agents/acme-agent", json={"tools": []})


async def test_instructions_reach_the_model_and_not_from_a_visitor(
    rest: Rest, ada: Visitor, upstream: UpstreamProcess
) -> None:
    tag = new_tag()
    body = asks(f"Hi [[upstream tokens=3 tag={tag}]]")
    body["messages"].insert(0, {"id": "s", "role": "system", "content": "Speak Latin."})
    assert (await rest.post(PATH, body)).status_code == 200
    (call,) = upstream.requests(tag)
    assert call["body"]["system"].endswith("Speak Latin.")
    assert (await ada.rest.post(PATH, {**body, "runId": new_tag()})).status_code == 403


async def test_a_visitor_s_run_has_no_usage(ada: Visitor) -> None:
    *_, last = events((await ada.rest.post(PATH, asks("Hi [[upstream tokens=3]]"))).text)
    assert last["outcome"] == {"type": "success"} and "usage" not in last
