"""An agent with tools, on both kinds of model server, by every door."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.live.clients import Event, Rest, Sse, WebSocket
from tests.live.installation import Installation
from tests.live.scaled.stack import Stack
from tests.live.server import Server
from tests.upstream.process import UpstreamProcess

ASK = "What time is it? [[upstream mode=tool tools=2 pre=1 tokens=2]]"


@pytest.fixture(scope="module")
def server(
    installation: Installation,
    upstream: UpstreamProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server | Stack]:
    """A server with one tool more than the product's."""
    settings = {
        "DJANGO_SETTINGS_MODULE": "tests.live.tool_settings",
        "OPENAI_API_KEY": "sk-live-tests",
        "OPENAI_BASE_URL": f"{upstream.url}/v1",
    }
    with installation.deployed(tmp_path_factory.mktemp("server"), **settings) as server:
        yield server.start()


@pytest.fixture(params=["anthropic", "openai"])
async def agent(request: pytest.FixtureRequest, manager: Rest) -> AsyncIterator[str]:
    """acme's agent, which knows the time."""
    fields = {"provider": request.param, "model": "m", "tools": [{"builtin": "current_time"}]}
    answer = await manager.request("PATCH", "/api/agents/acme-agent", json=fields)
    assert answer.status_code == 200 and answer.json()["tools"] == fields["tools"], answer.text
    yield request.param


def check_events(events: list[Event]) -> None:
    """Two calls, each with its result before the model goes on, and a whole answer."""
    calls = [event for event in events if event["type"] == "tool_call"]
    results = [event for event in events if event["type"] == "tool_result"]
    assert len(calls) == 2
    assert {event["id"] for event in results} == {event["id"] for event in calls}
    for result in results:
        assert (result["tool"], result["isError"]) == ("current_time", False)
        assert result["result"]["timezone"] == "UTC"
    types = [event["type"] for event in events if event["type"] in ("token", "tool_result")]
    assert types == ["token", "tool_result", "tool_result", "token", "token", "token"]
    assert [event["type"] for event in events][-2:] == ["message_complete", "done"]


async def test_over_a_websocket(agent: str, ws: WebSocket) -> None:
    check_events(await ws.ask(ASK))


async def test_over_an_event_stream(agent: str, server: Server) -> None:
    url, body = f"{server.url}/api/chat/stream", {"message": ASK}
    async with await Sse.open(url, server.keys.acme, body=body) as stream:
        check_events(await stream.read())


async def test_over_rest_and_in_the_history(agent: str, rest: Rest) -> None:
    answer = (await rest.post("/api/chat", json={"message": ASK})).json()
    message = (await rest.messages(answer["conversationId"]))[-1]
    assert len(message["tools"]) == 2
    for tool in message["tools"]:
        assert tool["tool"] == "current_time" and not tool["isError"]
        assert tool["result"]["timezone"] == "UTC"


async def test_a_later_question_has_the_results_of_the_earlier_one(
    agent: str, rest: Rest, upstream: UpstreamProcess
) -> None:
    tag = f"again-{agent}"
    first = (await rest.post("/api/chat", json={"message": ASK})).json()
    body = {
        "message": f"And now? [[upstream tag={tag}]]",
        "conversationId": first["conversationId"],
    }
    assert (await rest.post("/api/chat", json=body)).status_code == 200
    (request,) = upstream.requests(tag)
    assert str(request["body"]["messages"]).count("weekday") == 2 + 2  # and what the model repeats


async def test_a_cancel_ends_a_slow_tool(agent: str, manager: Rest, ws: WebSocket) -> None:
    fields = {"tools": [{"builtin": "slow"}]}
    await manager.request("PATCH", "/api/agents/acme-agent", json=fields)
    await ws.send(type="message", content="[[upstream mode=tool]]")
    await ws.until("tool_call")
    await ws.send(type="cancel")
    await ws.until("cancelled")  # before the tool's own end, which would be a result
    assert (await ws.until("done"))["reason"] == "cancelled"
    # In another conversation: here the model is sent both questions as one, with both directives.
    answer = await ws.ask("[[upstream tokens=2]]", conversationId="another")
    assert answer[-1]["reason"] == "complete"
