"""Chat Completions, asked by the `openai` library."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI

from tests.live.clients import Rest
from tests.live.facades.openai_client import opened
from tests.live.raw import aborted, call_of, new_tag
from tests.live.server import Server
from tests.live.visiting import SHOP, Visitor
from tests.upstream.process import UpstreamProcess

MODEL = "acme-agent"
WORDS = "Hello [[upstream tokens=8 delay=1]]"
TEXT = "".join(f"w{i} " for i in range(8))
LONG = "go [[upstream tokens=5000 delay=5 tag=%s]]"


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncOpenAI]:
    """At the global address, with acme's key."""
    async with opened(server.url, server.keys.acme) as client:
        yield client


def says(content: str) -> Any:
    return [{"role": "user", "content": content}]


async def test_it_works(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model=MODEL, messages=says(WORDS))
    (choice,) = answer.choices
    assert (choice.message.content, choice.message.role) == (TEXT, "assistant")
    assert (choice.finish_reason, answer.model) == ("stop", MODEL)
    assert answer.usage and answer.usage.total_tokens > 0
    assert answer.id.startswith("chatcmpl-") and answer._request_id.startswith("req_")


async def test_a_stream_gives_the_same_text(client: AsyncOpenAI, rest: Rest) -> None:
    stream = await client.chat.completions.create(
        model=MODEL,
        messages=says(WORDS),
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == TEXT
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].usage and chunks[-1].usage.completion_tokens > 0
    run = await rest.get(f"/api/runs/{chunks[0].id.replace('chatcmpl-', 'run_')}")
    assert (run.json()["content"], run.json()["status"]) == (TEXT, "completed")


async def test_history_and_instructions_reach_the_model(
    client: AsyncOpenAI, upstream: UpstreamProcess
) -> None:
    tag = new_tag()
    await client.chat.completions.create(
        model=MODEL,
        messages=[
            {"role": "system", "content": "Speak Latin."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Salve."},
            {"role": "user", "content": f"And? [[upstream tag={tag}]]"},
        ],
        max_tokens=17,
        temperature=0.3,
    )
    (call,) = [request["body"] for request in upstream.requests(tag)]
    assert call["system"].endswith("Speak Latin.") and call["max_tokens"] == 17
    assert [turn["role"] for turn in call["messages"]] == ["user", "assistant", "user"]


async def test_a_model_is_an_agent(server: Server, client: AsyncOpenAI) -> None:
    listed = [model async for model in client.models.list()]
    assert [model.id for model in listed] == [MODEL]
    assert (await client.models.retrieve(MODEL)).object == "model"
    for call in (
        client.models.retrieve("globex-agent"),
        client.chat.completions.create(model="gpt-4o", messages=says("Hi")),
    ):
        with pytest.raises(openai.NotFoundError) as raised:
            await call
        assert raised.value.code == "agent_not_found"


@pytest.mark.parametrize("form", ["path", "host"])
async def test_an_address_of_an_agent_takes_any_model(server: Server, form: str) -> None:
    host = {"Host": f"{MODEL}.localhost"} if form == "host" else {}
    address = server.url if host else f"{server.url}/a/{MODEL}"
    async with opened(address, server.keys.acme, **host) as client:
        for model in ("gpt-4o", MODEL, "globex-agent"):  # of a stranger's nobody knows
            answer = await client.chat.completions.create(model=model, messages=says(WORDS))
            assert (answer.choices[0].message.content, answer.model) == (TEXT, MODEL)


async def test_an_address_of_an_agent_takes_no_other_agent_of_the_key(
    server: Server, manager: Rest, manager_token: str
) -> None:
    made = (await manager.post("/api/agents", {"name": "Other"})).json()
    async with opened(f"{server.url}/a/{MODEL}", manager_token) as client:
        with pytest.raises(openai.PermissionDeniedError) as raised:
            await client.chat.completions.create(model=made["slug"], messages=says("Hi"))
        assert raised.value.code == "agent_mismatch"


async def test_errors_are_those_that_the_library_knows(server: Server, client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        await client.chat.completions.create(model=MODEL, messages=says("Hi"), n=2)
    assert (raised.value.param, raised.value.type) == ("n", "invalid_request_error")
    async with opened(server.url, "claw_live_nobody") as stranger:
        with pytest.raises(openai.AuthenticationError) as refused:
            await stranger.models.list()
        assert refused.value.code == "invalid_token"
    with pytest.raises(openai.InternalServerError) as failed:
        content = "Hi [[upstream mode=http status=400]]"
        await client.chat.completions.create(model=MODEL, messages=says(content))
    assert failed.value.code == "upstream_error"


def test_every_address_below_v1_has_errors_of_openai_s(server: Server) -> None:
    answer = httpx.post(f"{server.url}/v1/chat/completions", content=b"{", trust_env=False)
    assert answer.json()["error"]["type"] == "authentication_error"
    missing = httpx.get(f"{server.url}/v1/engines", trust_env=False)
    assert (missing.status_code, missing.json()["error"]["param"]) == (404, None)


async def test_a_stream_that_fails_raises_after_its_text(client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model=MODEL, messages=says("Hi [[upstream mode=error at=3]]"), stream=True
    )
    text = ""
    with pytest.raises(openai.APIError) as raised:
        async for chunk in stream:
            text += chunk.choices[0].delta.content or ""
    assert text == "w0 w1 w2 " and raised.value.code == "upstream_overloaded"


@pytest.mark.parametrize("streams", [True, False])
async def test_p11_a_client_that_leaves_ends_its_run(
    client: AsyncOpenAI, upstream: UpstreamProcess, streams: bool
) -> None:
    """P11: within half a second."""
    tag = new_tag()
    create = client.chat.completions.create
    asking = asyncio.create_task(create(model=MODEL, messages=says(LONG % tag), stream=streams))
    await call_of(upstream, tag)
    if streams:
        stream: Any = await asking
        await anext(stream)
        await anext(stream)
        await stream.close()
    else:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    before = time.time()
    assert await aborted(upstream, tag) - before < 0.5


async def test_a_run_that_is_stopped_is_no_whole_answer(client: AsyncOpenAI, rest: Rest) -> None:
    stream = await client.chat.completions.create(
        model=MODEL, messages=says(LONG % new_tag()), stream=True
    )
    first = await anext(stream)
    await rest.post(f"/api/runs/{first.id.replace('chatcmpl-', 'run_')}/cancel")
    with pytest.raises(openai.APIError) as raised:
        async for chunk in stream:
            assert chunk.choices[0].finish_reason is None
    assert raised.value.code == "cancelled"


async def test_one_that_is_stopped_is_not_asked_again(
    server: Server, rest: Rest, upstream: UpstreamProcess
) -> None:
    """The library tries again after other conflicts."""
    tag = new_tag()
    async with opened(server.url, server.keys.acme, retries=2) as client:
        create = client.chat.completions.create
        asking = asyncio.create_task(create(model=MODEL, messages=says(LONG % tag)))
        await call_of(upstream, tag)
        await rest.post("/api/conversations", {})
        listed = (await rest.get("/api/conversations")).json()["conversations"]
        await asyncio.gather(
            *(rest.post(f"/api/conversations/{each['id']}/cancel") for each in listed)
        )
        with pytest.raises(openai.ConflictError) as raised:
            await asking
    assert raised.value.code == "cancelled"
    assert len(upstream.requests(tag)) == 1


async def test_the_same_key_asks_once(client: AsyncOpenAI, upstream: UpstreamProcess) -> None:
    tag = new_tag()
    answers = [
        await client.chat.completions.create(
            model=MODEL,
            messages=says(f"Hi [[upstream tag={tag}]]"),
            extra_headers={"Idempotency-Key": tag},
        )
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert len(upstream.requests(tag)) == 1


async def test_a_visitor_asks_with_a_single_message(server: Server, ada: Visitor) -> None:
    async with opened(f"{server.url}/a/{MODEL}", ada.token, Origin=SHOP) as client:
        create = client.chat.completions.create
        answer = await create(model="any", messages=says(WORDS))
        assert (answer.choices[0].message.content, answer.usage) == (TEXT, None)
        assert [model.id async for model in client.models.list()] == [MODEL]
        system: Any = {"role": "system", "content": "Obey me."}
        for messages in ([system, *says("Hi")], says("Hi") * 2):
            with pytest.raises(openai.PermissionDeniedError):
                await create(model="any", messages=messages)


async def test_a_page_may_ask_from_a_browser(server: Server, ada: Visitor) -> None:
    asked = "authorization,content-type,x-stainless-lang"
    async with httpx.AsyncClient(base_url=f"{server.url}/a/{MODEL}/v1", trust_env=False) as page:
        preflight = await page.options(
            "/chat/completions",
            headers={
                "Origin": SHOP,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": asked,
            },
        )
        answer = await page.get(
            "/models", headers={"Origin": SHOP, "Authorization": f"Bearer {ada.token}"}
        )
    assert preflight.status_code == 204
    allowed = preflight.headers["access-control-allow-headers"]
    assert "Authorization" in allowed and allowed.endswith("*")
    assert answer.headers["access-control-allow-origin"] == SHOP


# --- the client's tools

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
CALLING = "Rome? [[upstream mode=tool tools=2 tool=get_weather pre=2 tokens=3 tag=%s]]"


@pytest.mark.parametrize("streams", [True, False])
async def test_a_function_s_calls_end_the_answer_and_its_results_go_on(
    client: AsyncOpenAI, rest: Rest, upstream: UpstreamProcess, streams: bool
) -> None:
    tag = new_tag()
    create = client.chat.completions.create
    messages = says(CALLING % tag)
    if streams:
        async with client.chat.completions.stream(
            model=MODEL, messages=messages, tools=[WEATHER]
        ) as stream:
            answer: Any = await stream.get_final_completion()
    else:
        answer = await create(model=MODEL, messages=messages, tools=[WEATHER])
    (choice,) = answer.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "w0 w1 ")
    one, two = choice.message.tool_calls
    assert one.function.name == two.function.name == "get_weather" and one.id != two.id
    assert one.function.arguments == '{"query":"weather"}'
    run = (await rest.get(f"/api/runs/{answer.id.replace('chatcmpl-', 'run_')}")).json()
    assert (run["status"], run["pending"]) == ("completed", [])
    sent = choice.message.model_dump(include={"role", "content", "tool_calls"})
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": f"{n} degrees"}
        for n, call in enumerate((one, two))
    ]
    final = await create(model=MODEL, messages=[*messages, sent, *results], tools=[WEATHER])
    assert final.choices[0].finish_reason == "stop"
    assert "0 degrees" in final.choices[0].message.content
    _, second = upstream.requests(tag)
    *_, asked, given = second["body"]["messages"]
    assert [block["type"] for block in asked["content"]] == ["text", "tool_use", "tool_use"]
    assert [(block["tool_use_id"], block["content"]) for block in given["content"]] == [
        (one.id, "0 degrees"),
        (two.id, "1 degrees"),
    ]


async def test_a_result_without_its_call_is_refused(client: AsyncOpenAI) -> None:
    result: Any = {"role": "tool", "tool_call_id": "call_1", "content": "Sunny."}
    with pytest.raises(openai.BadRequestError) as raised:
        await client.chat.completions.create(
            model=MODEL, messages=[*says("Hi"), result], tools=[WEATHER]
        )
    assert raised.value.param == "messages[1].tool_call_id"


async def test_a_function_may_not_be_named_like_a_tool_of_the_agent(
    client: AsyncOpenAI, manager: Rest
) -> None:
    tools = [{"builtin": "current_time"}]
    await manager.request("PATCH", f"/api/agents/{MODEL}", json={"tools": tools})
    clock: Any = {"type": "function", "function": {"name": "current_time"}}
    with pytest.raises(openai.BadRequestError) as raised:
        await client.chat.completions.create(model=MODEL, messages=says("Hi"), tools=[clock])
    assert raised.value.param == "tools[0].name"
    await manager.request("PATCH", f"/api/agents/{MODEL}", json={"tools": []})
