"""A server that ignores `stream`, for both APIs: its answer in one piece is an answer."""

from typing import Any

import msgspec
import pytest

from engine.providers.anthropic.decode import Decoder as AnthropicDecoder
from engine.providers.base import Counted, Delta, Finished, TextDelta, ThinkingDelta, ToolRequest
from engine.providers.openai.decode import Decoder as OpenAIDecoder
from engine.providers.server.call import Form, Reader

FORMS = {
    "openai": Form(OpenAIDecoder, ""),
    "anthropic": Form(AnthropicDecoder, ""),
}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
MESSAGE = {"role": "assistant", "reasoning_content": "Hm", "content": "Hi", "tool_calls": [CALL]}
ANSWERS: dict[str, Any] = {
    "openai": {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    },
    "anthropic": {
        "type": "message",
        "content": [
            {"type": "thinking", "thinking": "Hm", "signature": "s"},
            {"type": "text", "text": "Hi"},
            {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 3, "output_tokens": 4},
    },
}


def read(api: str, answer: Any) -> tuple[list[Delta], Reader]:
    seen: list[Delta] = []
    reader = Reader(FORMS[api], seen.extend)
    reader.head(200, {"content-type": "application/json"})
    reader.body(msgspec.json.encode(answer))
    reader.end()
    return seen, reader


@pytest.mark.parametrize("api", FORMS)
def test_it_works(api: str) -> None:
    seen, _ = read(api, ANSWERS[api])
    assert [delta for delta in seen if isinstance(delta, TextDelta)] == [TextDelta(["Hi"])]
    assert [delta for delta in seen if isinstance(delta, ThinkingDelta)] == [ThinkingDelta("Hm")]
    assert [delta for delta in seen if isinstance(delta, ToolRequest)] == [
        ToolRequest("c1", "f", {"a": 1})
    ]
    counted = [delta.counts for delta in seen if isinstance(delta, Counted)][-1]
    assert (counted.input_tokens, counted.output_tokens) == (3, 4)
    assert isinstance(seen[-1], Finished) and seen[-1].stop_reason == "tool_use"


@pytest.mark.parametrize(
    ("api", "said"),
    [
        ("openai", {"error": {"message": "slow", "code": "rate_limit_exceeded"}}),
        ("openai", {"object": "error", "message": "slow", "code": 429}),
        ("anthropic", {"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}),
        ("anthropic", {"error": {"message": "slow", "code": 429}}),
    ],
)
def test_an_error_is_that_error(api: str, said: Any) -> None:
    seen, reader = read(api, said)
    assert seen == [] and reader.refusal is not None
    assert reader.refusal.error("").code == "upstream_overloaded"


@pytest.mark.parametrize(
    "event",
    [
        b'data: {"error": {"message": "slow \\ud800", "code": 429}}\n\n',
        b'event: error\ndata: {"error": {"type": "rate_limit_error"}}\n\n',
        b'{"error": {"type": "rate_limit_error"}}\n\n',
    ],
)
@pytest.mark.parametrize("api", FORMS)
def test_an_error_before_anything_else_is_a_refusal(api: str, event: bytes) -> None:
    seen: list[Delta] = []
    reader = Reader(FORMS[api], seen.extend)
    reader.head(200, {"content-type": "text/event-stream", "retry-after": "42"})
    reader.body(b": wait\n\n")
    reader.body(event)
    reader.end()
    assert seen == [] and reader.complete and reader.refusal is not None
    error = reader.refusal.error("")
    assert (error.code, error.retry_after) == ("upstream_overloaded", 42_000)


def test_lines_of_json_are_the_events_of_a_stream() -> None:
    seen: list[Delta] = []
    reader = Reader(FORMS["openai"], seen.extend)
    reader.head(200, {"content-type": "application/x-ndjson"})
    for said in ({"delta": {"content": "Hi"}}, {"delta": {}, "finish_reason": "stop"}):
        reader.body(msgspec.json.encode({"choices": [said]}) + b"\n")
    reader.end()
    assert seen[0] == TextDelta(["Hi"]) and isinstance(seen[-1], Finished)


@pytest.mark.parametrize("answer", [[], {}, {"choices": []}, {"status": "ok"}])
@pytest.mark.parametrize("api", FORMS)
def test_what_is_no_answer_is_a_refusal(api: str, answer: Any) -> None:
    seen, reader = read(api, answer)
    assert seen == [] and reader.refusal is not None
    assert not reader.refusal.error("").retryable
