"""Responses, asked by the `openai` library."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from typing import Any

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


async def read(stream: Any) -> list[Any]:
    return [event.model_dump() async for event in stream]


def text_of(events: list[Any]) -> str:
    return "".join(each["delta"] for each in events if each["type"] == "response.output_text.delta")


async def test_it_works(client: AsyncOpenAI) -> None:
    response = await client.responses.create(model=MODEL, input=WORDS, metadata={"case": "7"})
    assert (response.output_text, response.status, response.error) == (TEXT, "completed", None)
    assert response.usage and response.usage.total_tokens > 0
    assert (response.model, response.metadata) == (MODEL, {"case": "7"})
    assert await client.responses.retrieve(response.id) == response


async def test_a_stream_gives_the_same_response(client: AsyncOpenAI, rest: Rest) -> None:
    stream = await client.responses.create(model=MODEL, input=WORDS, stream=True)
    events = await read(stream)
    assert text_of(events) == TEXT
    assert [each["sequence_number"] for each in events] == [*range(len(events))]
    last = events[-1]["response"]
    kept = await client.responses.retrieve(last["id"])
    assert kept.model_dump() == last
    run = await rest.get(f"/api/runs/{last['id'].replace('resp_', 'run_')}")
    assert (run.json()["content"], run.json()["status"]) == (TEXT, "completed")


async def test_the_library_s_own_helper_follows_the_stream(client: AsyncOpenAI) -> None:
    async with client.responses.stream(model=MODEL, input=WORDS) as stream:
        async for _ in stream:
            pass
        assert (await stream.get_final_response()).output_text == TEXT


async def test_thoughts_are_summaries(client: AsyncOpenAI) -> None:
    content = "Hi [[upstream mode=thinking think=3 tokens=2]]"
    response = await client.responses.create(model=MODEL, input=content)
    reasoning, message = response.output
    assert reasoning.type == "reasoning" and reasoning.summary[0].text
    assert message.type == "message" and response.output_text == "w0 w1 "


async def test_p2_a_response_in_the_background_is_followed_from_any_number(
    client: AsyncOpenAI, server: Server
) -> None:
    """P2: its events are the same in every replay, wherever that begins."""
    begun = await client.responses.create(
        model=MODEL, input="Hi [[upstream tokens=60 delay=3]]", background=True
    )
    assert begun.status == "queued"
    whole = await read(await client.responses.retrieve(begun.id, stream=True))
    assert whole[-1]["type"] == "response.completed"
    dice = random.Random(7)
    for known in [0, len(whole) - 1, *dice.sample(range(len(whole)), 8)]:
        follow = await client.responses.retrieve(begun.id, stream=True, starting_after=known)
        assert await read(follow) == whole[known + 1 :]


async def test_a_stream_that_is_cut_goes_on_where_it_was(client: AsyncOpenAI) -> None:
    stream = await client.responses.create(
        model=MODEL, input="Hi [[upstream tokens=60 delay=3]]", background=True, stream=True
    )
    seen: list[Any] = []
    async for event in stream:
        seen.append(event.model_dump())
        if len(seen) == 20:
            break
    await stream.close()
    known, name = seen[-1]["sequence_number"], seen[0]["response"]["id"]
    rest = await read(await client.responses.retrieve(name, stream=True, starting_after=known))
    assert text_of(seen + rest) == "".join(f"w{i} " for i in range(60))
    assert rest[-1]["response"]["output"][0]["content"][0]["text"] == text_of(seen + rest)


@pytest.mark.parametrize("streams", [True, False])
async def test_p11_a_client_that_leaves_ends_its_response(
    client: AsyncOpenAI, upstream: UpstreamProcess, streams: bool
) -> None:
    """P11: within half a second, unless it is made in the background."""
    tag = new_tag()
    create = client.responses.create
    asking = asyncio.create_task(create(model=MODEL, input=LONG % tag, stream=streams))
    await call_of(upstream, tag)
    if streams:
        stream: Any = await asking
        await anext(stream)
        await stream.close()
    else:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    before = time.time()
    assert await aborted(upstream, tag) - before < 0.5


async def test_a_cancel_ends_it_with_what_there_is(
    client: AsyncOpenAI, upstream: UpstreamProcess
) -> None:
    tag = new_tag()
    stream = await client.responses.create(
        model=MODEL, input=LONG % tag, background=True, stream=True
    )
    first = await anext(stream)
    async for event in stream:
        if event.type == "response.output_text.delta":
            break
    before = time.time()
    ended = await client.responses.cancel(first.response.id)
    assert ended.status == "cancelled" and ended.output_text.startswith("w0 ")
    assert await aborted(upstream, tag) - before < 0.5
    *_, last = await read(stream)
    assert (last["type"], last["response"]["status"]) == ("response.incomplete", "cancelled")
    assert last["response"]["output"][0]["status"] == "incomplete"
    assert await client.responses.cancel(first.response.id) == ended


async def test_a_response_that_fails_says_why(client: AsyncOpenAI) -> None:
    content = "Hi [[upstream mode=error at=3]]"
    response = await client.responses.create(model=MODEL, input=content)
    assert response.status == "failed" and response.output_text == "w0 w1 w2 "
    assert response.error and response.error.code == "rate_limit_exceeded"
    events = await read(await client.responses.create(model=MODEL, input=content, stream=True))
    assert events[-1]["type"] == "response.failed"


# --- conversations


async def seen_by(upstream: UpstreamProcess, tag: str) -> list[str]:
    """What the user has said, as the model was told."""
    (request,) = upstream.requests(tag)
    turns = [turn for turn in request["body"]["messages"] if turn["role"] == "user"]
    return [str(turn["content"]).partition(" [[")[0] for turn in turns]


async def test_a_response_goes_on_with_the_one_before(
    client: AsyncOpenAI, upstream: UpstreamProcess
) -> None:
    tags = [new_tag() for _ in range(3)]
    ask = client.responses.create
    one = await ask(model=MODEL, input=f"one [[upstream tag={tags[0]}]]")
    two = await ask(
        model=MODEL, input=f"two [[upstream tag={tags[1]}]]", previous_response_id=one.id
    )
    assert await seen_by(upstream, tags[1]) == ["one", "two"]
    assert two.conversation == one.conversation and two.previous_response_id == one.id
    other = await ask(
        model=MODEL, input=f"other [[upstream tag={tags[2]}]]", previous_response_id=one.id
    )
    assert await seen_by(upstream, tags[2]) == ["one", "other"]  # without `two`
    assert other.conversation != one.conversation


async def test_a_conversation_has_the_name_that_you_give_it(
    client: AsyncOpenAI, upstream: UpstreamProcess
) -> None:
    tag, name = new_tag(), new_tag()
    for text in ("one", f"two [[upstream tag={tag}]]"):
        made = await client.responses.create(model=MODEL, input=text, conversation=name)
    assert await seen_by(upstream, tag) == ["one", "two"]
    assert made.conversation and made.conversation.id == name
    items = await client.responses.input_items.list(made.id, limit=2)
    assert [item.role for item in items.data] == ["user", "assistant"]
    assert len([item async for item in client.responses.input_items.list(made.id, limit=2)]) == 3


async def test_a_history_and_instructions_reach_the_model(
    client: AsyncOpenAI, upstream: UpstreamProcess
) -> None:
    tag = new_tag()
    await client.responses.create(
        model=MODEL,
        instructions="Speak Latin.",
        max_output_tokens=17,
        input=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {
                "type": "message",
                "id": "msg_1",
                "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Salve.", "annotations": []}],
            },
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"role": "user", "content": f"And? [[upstream tag={tag}]]"},
        ],
    )
    (call,) = [request["body"] for request in upstream.requests(tag)]
    assert call["system"].endswith("Speak Latin.\n\nBe brief.") and call["max_tokens"] == 17
    assert [turn["role"] for turn in call["messages"]] == ["user", "assistant", "user"]


# --- what is shown to whom


async def test_what_is_deleted_or_not_stored_is_not_shown(client: AsyncOpenAI, rest: Rest) -> None:
    response = await client.responses.create(model=MODEL, input=WORDS)
    await client.responses.delete(response.id)
    hidden = await client.responses.create(model=MODEL, input=WORDS, store=False)
    for name in (response.id, hidden.id, "resp_nothing", "run_nothing", "nonsense"):
        for ask in (
            client.responses.retrieve(name),
            client.responses.retrieve(name, stream=True),
            client.responses.cancel(name),
            client.responses.delete(name),
            client.responses.create(model=MODEL, input="Hi", previous_response_id=name),
        ):
            with pytest.raises(openai.NotFoundError) as raised:
                await ask
            assert raised.value.code == "run_not_found"
    kept = await rest.messages(response.conversation.id if response.conversation else "")
    assert kept[-1]["content"] == TEXT


async def test_a_run_of_any_other_door_is_a_response_too(client: AsyncOpenAI, rest: Rest) -> None:
    answer = (await rest.post("/api/chat", {"message": WORDS})).json()
    response = await client.responses.retrieve(answer["runId"].replace("run_", "resp_"))
    assert (response.output_text, response.status) == (TEXT, "completed")


async def test_p24_a_stranger_s_response_is_like_none(server: Server, client: AsyncOpenAI) -> None:
    """P24."""
    response = await client.responses.create(model=MODEL, input=WORDS)
    async with opened(server.url, server.keys.globex) as stranger:
        for ask in (
            stranger.responses.retrieve(response.id),
            stranger.responses.cancel(response.id),
            stranger.responses.delete(response.id),
            stranger.responses.input_items.list(response.id),
        ):
            with pytest.raises(openai.NotFoundError):
                await ask
    assert (await client.responses.retrieve(response.id)).output_text == TEXT


async def test_a_visitor_goes_on_with_the_one_before(server: Server, ada: Visitor) -> None:
    async with opened(f"{server.url}/a/{MODEL}", ada.token, Origin=SHOP) as visitor:
        one = await visitor.responses.create(input=WORDS)
        two = await visitor.responses.create(input=WORDS, previous_response_id=one.id)
        assert (two.output_text, two.usage) == (TEXT, None)
        for wrong in (
            {"instructions": "Obey me."},
            {"input": [{"role": "user", "content": "a"}] * 2},
        ):
            with pytest.raises(openai.PermissionDeniedError):
                await visitor.responses.create(**{"input": "Hi", **wrong})


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"text": {"format": {"type": "json_object"}}}, "text"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"background": True, "store": False}, "background"),
        ({"previous_response_id": "resp_1", "conversation": "c"}, "conversation"),
        ({"conversation": "c", "input": [{"role": "assistant", "content": "Hi"}]}, "input"),
        ({"input": [{"type": "riddle"}]}, "input[0].type"),
        ({"input": []}, "input"),
        ({"metadata": {"a": "b" * 513}}, "metadata[...]"),
    ],
)
async def test_what_is_not_supported_is_refused_by_its_name(
    client: AsyncOpenAI, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        await client.responses.create(**{"model": MODEL, "input": "Hi", **fields})
    assert raised.value.param == param


async def test_tools_that_are_no_functions_are_ignored(client: AsyncOpenAI) -> None:
    response = await client.responses.create(
        model=MODEL, input=WORDS, tools=[{"type": "web_search"}], include=[], temperature=0.2
    )
    assert response.output_text == TEXT


# --- the client's tools

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
CALLING = "Rome? [[upstream mode=tool tools=2 tool=get_weather pre=2 tokens=3 tag=%s]]"


@pytest.mark.parametrize("goes_on", ["previous_response_id", "conversation", "input"])
async def test_a_function_s_calls_end_the_response_and_its_results_go_on(
    client: AsyncOpenAI, upstream: UpstreamProcess, goes_on: str
) -> None:
    tag, name = new_tag(), new_tag()
    ask = client.responses.create
    named = {"conversation": name} if goes_on == "conversation" else {}
    stream = await ask(model=MODEL, input=CALLING % tag, tools=[WEATHER], stream=True, **named)
    events = await read(stream)
    first = events[-1]["response"]
    assert (events[-1]["type"], first["status"]) == ("response.completed", "completed")
    message, one, two = first["output"]
    assert message["content"][0]["text"] == "w0 w1 "
    assert (one["type"], one["name"], one["arguments"]) == (
        "function_call",
        "get_weather",
        '{"query":"weather"}',
    )
    kinds = [each["type"] for each in events]
    assert kinds.count("response.function_call_arguments.done") == 2
    assert (await client.responses.retrieve(first["id"])).model_dump() == first
    results = [
        {"type": "function_call_output", "call_id": call["call_id"], "output": f"{n} degrees"}
        for n, call in enumerate((one, two))
    ]
    before = {
        "previous_response_id": {"previous_response_id": first["id"], "input": results},
        "conversation": {"conversation": name, "input": results},
        "input": {
            "input": [{"role": "user", "content": CALLING % tag}, *first["output"], *results]
        },
    }
    final = await ask(model=MODEL, tools=[WEATHER], **before[goes_on])
    assert final.status == "completed" and "0 degrees" in final.output_text
    _, second = upstream.requests(tag)
    *_, asked, given = second["body"]["messages"]
    assert [block["type"] for block in asked["content"]][-2:] == ["tool_use", "tool_use"]
    assert [(block["tool_use_id"], block["content"]) for block in given["content"]] == [
        (one["call_id"], "0 degrees"),
        (two["call_id"], "1 degrees"),
    ]


async def test_a_result_without_its_call_is_refused(client: AsyncOpenAI) -> None:
    response = await client.responses.create(model=MODEL, input=WORDS, tools=[WEATHER])
    with pytest.raises(openai.BadRequestError) as raised:
        await client.responses.create(
            model=MODEL,
            previous_response_id=response.id,
            input=[{"type": "function_call_output", "call_id": "call_1", "output": "Sunny."}],
        )
    assert raised.value.param == "input[0].call_id"
