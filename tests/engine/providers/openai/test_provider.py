import base64
import json
from typing import Any

import pytest

from engine.errors import ProviderError
from engine.providers.base import Counted, Finished, Provider, ToolDelta, ToolRequest
from engine.providers.openai.wire import encode_request
from engine.providers.registry import open_provider
from engine.request import ToolSpec, Turn
from engine.usage import TokenCounts
from tests.engine.providers.contract import (
    ProviderContract,
    batches,
    collect,
    counts_of,
    directed,
    fail,
    pieces_of,
    text_of,
    thinking_of,
)
from tests.upstream import Upstream, expected_text

WEATHER = ToolSpec(name="weather", description="The weather", input_schema={"type": "object"})


@pytest.fixture
def provider(chat: Provider) -> Provider:
    return chat


class TestOpenAI(ProviderContract):
    short = directed("tokens=5")
    thoughtful = directed("mode=thinking")
    slow = directed("tokens=200 delay=10")
    failing = directed("mode=error at=5")


class TestByteByByte(ProviderContract):
    short = directed("tokens=3 split=1 content=unicode")
    thoughtful = directed("mode=thinking tokens=2 think=2 split=1")
    slow = directed("tokens=200 delay=10 split=1")
    failing = directed("mode=error at=2 split=1")


# --- the answer


@pytest.mark.parametrize("how", ["", "split=11", "coalesce=1", "ping=3"])
@pytest.mark.parametrize("content", ["words", "unicode", "json"])
async def test_the_text_arrives_unchanged(provider: Provider, content: str, how: str) -> None:
    keys = f"tokens=40 content={content} {how}"
    assert text_of(await collect(provider, directed(keys))) == expected_text(keys)


async def test_what_arrives_together_comes_in_one_list(provider: Provider) -> None:
    got = await batches(provider, directed("tokens=50 coalesce=1"))
    assert len(got) == 1
    assert len(pieces_of(got[0])) == 50


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_thinking_has_two_names(provider: Provider, field: str) -> None:
    deltas = await collect(provider, directed(f"mode=thinking think=2 tokens=1 field={field}"))
    assert (thinking_of(deltas), text_of(deltas)) == ("th0 th1 ", "w0 ")
    assert counts_of(deltas).reasoning_tokens == 2
    assert deltas[-1] == Finished("end_turn", [])


@pytest.mark.parametrize("how", ["", "split=1", "index=0"])
async def test_parallel_tool_calls(provider: Provider, how: str) -> None:
    args = {"city": "Zürich", "days": [1, 2]}
    encoded = base64.b64encode(json.dumps(args).encode()).decode()
    request = directed(f"mode=tool tools=2 pre=2 input={encoded} {how}", tools=[WEATHER])
    deltas = await collect(provider, request)
    calls = [delta for delta in deltas if isinstance(delta, ToolRequest)]
    assert [(call.name, call.args) for call in calls] == [("weather", args)] * 2
    for number, call in enumerate(calls):
        parts = [d for d in deltas if isinstance(d, ToolDelta) and d.index == number]
        assert json.loads("".join(part.arguments for part in parts)) == args
        assert (parts[0].id, parts[0].name) == (call.id, "weather")
        assert not any(part.id or part.name for part in parts[1:])
    assert isinstance(deltas[-1], Finished)
    assert deltas[-1].stop_reason == "tool_use"
    assert [block["type"] for block in deltas[-1].blocks] == ["text", "tool_use", "tool_use"]


async def test_a_call_without_arguments_has_an_empty_object(provider: Provider) -> None:
    deltas = await collect(provider, directed("mode=tool input=empty", tools=[WEATHER]))
    assert [delta.args for delta in deltas if isinstance(delta, ToolRequest)] == [{}]


async def test_results_go_back_after_their_calls(provider: Provider) -> None:
    first = directed("mode=tool tools=2", tools=[WEATHER])
    finished = (await collect(provider, first))[-1]
    assert isinstance(finished, Finished)
    ids = [block["id"] for block in finished.blocks]
    results: list[dict[str, Any]] = [
        {"type": "tool_result", "tool_use_id": ids[0], "content": "sunny"},
        {"type": "tool_result", "tool_use_id": ids[1], "content": "lost", "is_error": True},
    ]
    turns = [
        *first.turns,
        Turn(role="assistant", content="", blocks=finished.blocks),
        Turn(role="user", content="", blocks=results),
    ]
    deltas = await collect(provider, directed("", turns=turns, tools=[WEATHER]))
    assert text_of(deltas).startswith('RESULT<["sunny", "Error: lost"]> ')


@pytest.mark.parametrize("arguments", ["[]", '"x"', "{", "nul"])
async def test_arguments_that_are_no_object_come_unread(provider: Provider, arguments: str) -> None:
    coded = base64.b64encode(arguments.encode()).decode()
    deltas = await collect(provider, directed(f"mode=tool input={coded}", tools=[WEATHER]))
    (use,) = [delta for delta in deltas if isinstance(delta, ToolRequest)]
    assert (use.args, use.unread) == ({}, arguments)
    finished = deltas[-1]
    assert isinstance(finished, Finished) and finished.stop_reason == "tool_use"
    (block,) = [block for block in finished.blocks if block["type"] == "tool_use"]
    assert (block["id"], block["input"]) == (use.id, {})


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("content_filter", "refusal"),
        ("new_reason", "new_reason"),
    ],
)
async def test_stop_reasons_have_our_names(provider: Provider, said: str, reason: str) -> None:
    assert (await collect(provider, directed(f"stop={said}")))[-1] == Finished(reason, [])


async def test_counts_include_the_cache(provider: Provider) -> None:
    counts = counts_of(await collect(provider, directed("tokens=7 cached=100")))
    assert (counts.output_tokens, counts.cache_read_tokens) == (7, 100)
    assert (counts.input_tokens or 0) > 100


async def test_a_server_may_count_nothing(provider: Provider) -> None:
    deltas = await collect(provider, directed("usage=0"))
    assert not any(isinstance(delta, Counted) for delta in deltas)


@pytest.mark.parametrize("keys", ["done=0", "done=0 usage=0", "done=0 split=1"])
async def test_a_finish_reason_is_an_end_without_done(provider: Provider, keys: str) -> None:
    deltas = await collect(provider, directed(f"tokens=3 {keys}"))
    assert text_of(deltas) == "w0 w1 w2 "
    assert deltas[-1] == Finished("end_turn", [])


@pytest.mark.parametrize("keys", ["mode=nostop", "mode=nostop done=0", "mode=truncate"])
async def test_no_finish_reason_is_no_end(provider: Provider, keys: str) -> None:
    _, error = await fail(provider, directed(keys))
    assert error.code == "upstream_truncated"


async def test_an_answer_without_content_is_an_answer(provider: Provider) -> None:
    deltas = await collect(provider, directed("mode=empty"))
    assert [type(delta) for delta in deltas] == [Counted, Finished]
    assert counts_of(deltas) == TokenCounts(
        input_tokens=counts_of(deltas).input_tokens, output_tokens=0
    )


@pytest.mark.parametrize("how", ["", "split=1"])
async def test_unknown_events_and_fields_are_ignored(provider: Provider, how: str) -> None:
    deltas = await collect(provider, directed(f"mode=unknown tokens=3 {how}"))
    assert text_of(deltas) == "w0 w1 w2 "


@pytest.mark.parametrize("what", ["event", "block"])
async def test_garbage_between_events_is_ignored(provider: Provider, what: str) -> None:
    deltas = await collect(provider, directed(f"mode=malformed what={what} tokens=8"))
    assert text_of(deltas) == expected_text("tokens=8")


# --- the request


async def test_our_requests_are_taken(provider: Provider, upstream: Upstream) -> None:
    request = directed("tokens=1", thinking=True, tools=[WEATHER], parameters={"temperature": 0.5})
    await collect(provider, request)
    assert upstream.requests[0]["body"] == encode_request(request, "max_tokens")


async def test_a_parameter_that_the_server_does_not_know_is_left_out(
    provider: Provider, upstream: Upstream
) -> None:
    for _ in range(2):
        deltas = await collect(provider, directed("tokens=1", parameters={"nonsense": 1}))
        assert text_of(deltas) == "w0 "
    taken = bodies(upstream)  # what it refuses for a parameter it does not list
    assert ["nonsense" in body for body in taken] == [False, False]


@pytest.mark.parametrize("wants", ["max_tokens", "max_completion_tokens"])
async def test_the_name_of_the_limit_is_found_out_once(
    provider: Provider, upstream: Upstream, wants: str
) -> None:
    for _ in range(2):
        deltas = await collect(provider, directed(f"wants={wants} tokens=2"))
        assert text_of(deltas) == "w0 w1 "
    sent = [body.keys() & {"max_tokens", "max_completion_tokens"} for body in bodies(upstream)]
    assert sent == [{"max_tokens"}] * (sent[0] != {wants}) + [{wants}] * 2


async def test_a_limit_that_is_too_large_is_the_users_mistake(
    provider: Provider, upstream: Upstream
) -> None:
    """Under another name the server may not know it, and answer without any limit."""
    _, error = await fail(provider, directed("wants=less"))
    assert (error.code, error.retryable, len(upstream.requests)) == ("upstream_error", False, 1)


async def test_a_server_that_refuses_both_names_is_asked_twice(
    provider: Provider, upstream: Upstream
) -> None:
    _, error = await fail(provider, directed("wants=nothing"))
    assert (error.code, error.retryable, len(upstream.requests)) == ("upstream_error", False, 2)
    await fail(provider, directed("wants=nothing"))
    assert "max_tokens" in bodies(upstream)[2]


async def test_connections_are_used_again(provider: Provider, upstream: Upstream) -> None:
    for _ in range(5):
        await collect(provider, directed("tokens=3"))
    assert len(upstream.connections) == 1


async def test_a_server_that_was_named_may_do_without_a_key(upstream: Upstream) -> None:
    provider = open_provider("openai", base_url=f"{upstream.url}/v1/")
    assert text_of(await collect(provider, directed("tokens=1"))) == "w0 "
    await provider.aclose()


@pytest.mark.parametrize("key", [None, "", "schlüssel", "two\nlines"])
def test_openai_itself_needs_a_usable_key(key: str | None) -> None:
    with pytest.raises(ProviderError):
        open_provider("openai", api_key=key)


@pytest.mark.parametrize(
    "url", ["http://[", "http://host:port", "nonsense", "ftp://host", "https://"]
)
def test_an_address_that_is_none_says_so(url: str) -> None:
    with pytest.raises(ProviderError) as caught:
        open_provider("openai", api_key="key", base_url=url)
    assert (caught.value.code, caught.value.retryable) == ("upstream_error", False)


def bodies(upstream: Upstream) -> list[dict[str, Any]]:
    return [request["body"] for request in upstream.requests]
