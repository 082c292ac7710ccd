import base64
import json

import pytest

from engine.errors import ProviderError
from engine.providers.anthropic.wire import encode_request
from engine.providers.base import Counted, Finished, Provider, ToolDelta, ToolRequest
from engine.providers.registry import open_provider
from engine.request import ToolSpec, Turn
from engine.usage import TokenCounts
from tests.engine.conftest import opened
from tests.engine.providers.contract import (
    ProviderContract,
    batches,
    collect,
    counts_of,
    directed,
    pieces_of,
    text_of,
    thinking_of,
)
from tests.upstream import Upstream, expected_text

WEATHER = ToolSpec(name="weather", description="The weather", input_schema={"type": "object"})


@pytest.fixture
def provider(claude: Provider) -> Provider:
    return claude


class TestAnthropic(ProviderContract):
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


@pytest.mark.parametrize("how", ["", "split=1", "split=7", "coalesce=1", "ping=3", "delay=1"])
@pytest.mark.parametrize("content", ["words", "unicode", "json"])
async def test_the_text_arrives_unchanged(provider: Provider, content: str, how: str) -> None:
    keys = f"tokens=40 content={content} {how}"
    assert text_of(await collect(provider, directed(keys))) == expected_text(keys)


async def test_what_arrives_together_comes_in_one_list(upstream: Upstream) -> None:
    """By our own transport; the SDK gives a chunk of HTTP at a time."""
    async with opened("anthropic", upstream) as provider:
        got = await batches(provider, directed("tokens=50 coalesce=1"))
    assert len(got) == 1
    assert len(pieces_of(got[0])) == 50


async def test_thinking_is_kept_with_its_signature(provider: Provider) -> None:
    deltas = await collect(provider, directed("mode=thinking think=2 tokens=1"))
    assert thinking_of(deltas) == "th0 th1 "
    assert isinstance(deltas[-1], Finished)
    assert deltas[-1].blocks == [
        {"type": "thinking", "thinking": "th0 th1 ", "signature": "c2ln"},
        {"type": "text", "text": "w0 "},
    ]


async def test_redacted_thinking_is_kept(provider: Provider) -> None:
    deltas = await collect(provider, directed("mode=redacted tokens=1"))
    assert isinstance(deltas[-1], Finished)
    assert deltas[-1].blocks[0] == {"type": "redacted_thinking", "data": "ZW5jcnlwdGVk"}
    assert thinking_of(deltas) == ""


async def test_plain_text_needs_no_blocks(provider: Provider) -> None:
    assert (await collect(provider, directed("tokens=3")))[-1] == Finished("end_turn", [])


@pytest.mark.parametrize("how", ["", "split=1"])
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
    assert deltas[-1].blocks[1]["input"] == args


async def test_a_call_without_arguments_has_an_empty_object(provider: Provider) -> None:
    deltas = await collect(provider, directed("mode=tool input=empty", tools=[WEATHER]))
    assert [delta.args for delta in deltas if isinstance(delta, ToolRequest)] == [{}]


async def test_the_blocks_go_back_with_the_next_turn(provider: Provider) -> None:
    first = directed("mode=tool", tools=[WEATHER])
    finished = (await collect(provider, first))[-1]
    assert isinstance(finished, Finished)
    result = {"type": "tool_result", "content": "sunny", "tool_use_id": finished.blocks[0]["id"]}
    turns = [
        *first.turns,
        Turn(role="assistant", content="", blocks=finished.blocks),
        Turn(role="user", content="", blocks=[result]),
    ]
    deltas = await collect(provider, directed("", turns=turns, tools=[WEATHER]))
    assert text_of(deltas).startswith('RESULT<["sunny"]> ')


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
    "reason", ["end_turn", "max_tokens", "stop_sequence", "refusal", "pause_turn", "new_reason"]
)
async def test_every_stop_reason_is_passed_on(provider: Provider, reason: str) -> None:
    finished = (await collect(provider, directed(f"stop={reason}")))[-1]
    assert isinstance(finished, Finished) and finished.stop_reason == reason


async def test_a_full_context_window_has_our_name(provider: Provider) -> None:
    finished = (await collect(provider, directed("stop=model_context_window_exceeded")))[-1]
    assert isinstance(finished, Finished)
    assert finished.stop_reason == "context_window_exceeded"


async def test_counts_are_cumulative_and_include_the_cache(provider: Provider) -> None:
    deltas = await collect(provider, directed("tokens=7 cached=100"))
    first, last = (delta.counts for delta in deltas if isinstance(delta, Counted))
    assert first.output_tokens == 1 and last.output_tokens == 7
    assert first.input_tokens == last.input_tokens and (last.input_tokens or 0) > 200
    assert (last.cache_read_tokens, last.cache_write_tokens) == (100, 100)


async def test_an_answer_without_content_is_an_answer(provider: Provider) -> None:
    deltas = await collect(provider, directed("mode=empty"))
    assert [type(delta) for delta in deltas] == [Counted, Counted, Finished]
    counts = counts_of(deltas)
    # The start counts 1. A 0 at the end takes nothing back.
    assert counts == TokenCounts(input_tokens=counts.input_tokens, output_tokens=1)


@pytest.mark.parametrize("how", ["", "split=1"])
async def test_unknown_events_blocks_and_deltas_are_ignored(provider: Provider, how: str) -> None:
    deltas = await collect(provider, directed(f"mode=unknown tokens=3 {how}"))
    assert text_of(deltas) == "w0 w1 w2 "
    assert deltas[-1] == Finished("end_turn", [])


async def test_garbage_between_events_is_ignored(provider: Provider) -> None:
    deltas = await collect(provider, directed("mode=malformed what=event tokens=8"))
    assert text_of(deltas) == expected_text("tokens=8")


async def test_text_of_a_block_that_never_started_is_shown(provider: Provider) -> None:
    """P6: an answer is complete only if all of its text was used."""
    deltas = await collect(provider, directed("mode=malformed what=block tokens=8"))
    assert text_of(deltas).replace("GHOST", "") == expected_text("tokens=8")
    assert "GHOST" in text_of(deltas)


# --- the request


async def test_our_requests_are_taken(provider: Provider, upstream: Upstream) -> None:
    request = directed("tokens=1", thinking=True, tools=[WEATHER], parameters={"temperature": 0.5})
    await collect(provider, request)
    assert upstream.requests[0]["body"] == encode_request(request)


async def test_a_parameter_that_the_server_refuses_by_name_is_left_out(
    provider: Provider,
) -> None:
    for _ in range(2):
        deltas = await collect(provider, directed("tokens=1", parameters={"nonsense": 1}))
        assert text_of(deltas) == expected_text("tokens=1")


async def test_connections_are_used_again(provider: Provider, upstream: Upstream) -> None:
    for _ in range(5):
        await collect(provider, directed("tokens=3"))
    assert len(upstream.connections) == 1


@pytest.mark.parametrize("sdk", [False, True])
@pytest.mark.parametrize("key", [None, "", "schlüssel", "two\nlines"])
def test_without_a_usable_key_it_says_so(key: str | None, sdk: bool) -> None:
    with pytest.raises(ProviderError):
        open_provider("anthropic", api_key=key, sdk=sdk)


@pytest.mark.parametrize("sdk", [False, True])
@pytest.mark.parametrize(
    "url", ["http://[", "http://host:port", "nonsense", "ftp://host", "https://"]
)
def test_an_address_that_is_none_says_so(url: str, sdk: bool) -> None:
    with pytest.raises(ProviderError) as caught:
        open_provider("anthropic", api_key="key", base_url=url, sdk=sdk)
    assert (caught.value.code, caught.value.retryable) == ("upstream_error", False)
