"""What a real server rarely does; the rest is tested with one in `test_anthropic.py`."""

import json
from typing import Any

import pytest

from engine.providers.anthropic.decode import Decoder
from engine.providers.base import (
    Counted,
    Delta,
    Finished,
    Hidden,
    TextDelta,
    ThinkingDelta,
    ToolRequest,
)
from engine.providers.server.decoder import MAX_BLOCKS

KEY = "sk-SECRET"
TEXT = {"type": "text", "text": ""}


def event(name: str, **fields: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode()


def start(index: int, **block: Any) -> bytes:
    return event("content_block_start", index=index, content_block=block)


def delta(index: int, **delta: Any) -> bytes:
    return event("content_block_delta", index=index, delta=delta)


def stop(reason: str | None) -> bytes:
    return event("message_delta", delta={"stop_reason": reason}) + event("message_stop")


def decode(*events: bytes) -> tuple[list[Delta], Decoder]:
    decoder = Decoder(KEY)
    return decoder.feed(b"".join(events)), decoder


def test_it_works() -> None:
    deltas, decoder = decode(start(0, **TEXT), delta(0, type="text_delta", text="hi"), stop("x"))
    assert deltas == [TextDelta(["hi"]), Finished("x", [])]
    assert decoder.done and decoder.failure is None


def test_text_for_another_block_is_not_taken_for_more_of_this() -> None:
    _, decoder = decode(start(0, **TEXT), delta(0, type="text_delta", text="a"))
    more = delta(0, type="text_delta", text="b") + delta(1, type="text_delta", text="c")
    assert decoder.feed(more) == [TextDelta(["b"]), TextDelta(["c"])]


def test_text_that_comes_together_is_decoded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    _, decoder = decode(start(0, **TEXT), delta(0, type="text_delta", text="a"))
    monkeypatch.delattr(Decoder, "_event")  # which takes them one by one
    padded = delta(0, type="text_delta", text="c").replace(b"}\n", b"}       \n")
    both = delta(0, type="text_delta", text="b") + padded
    assert decoder.feed(both) == [TextDelta(["b", "c"])]


def test_text_that_comes_with_the_start_of_its_block_counts() -> None:
    deltas, _ = decode(start(0, type="text", text="a"), start(1, type="thinking", thinking="b"))
    assert deltas == [TextDelta(["a"]), ThinkingDelta("b")]


def test_calls_of_one_id_are_two() -> None:
    call = {"type": "tool_use", "id": "t", "name": "n", "input": {}}
    deltas, _ = decode(start(0, **call), start(1, **call), stop("tool_use"))
    one, other = [d.id for d in deltas if isinstance(d, ToolRequest)]
    assert one == "t" != other
    assert isinstance(deltas[-1], Finished)
    assert [block["id"] for block in deltas[-1].blocks] == [one, other]


def test_arguments_that_come_with_the_start_of_their_block_count() -> None:
    call = {"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}}
    deltas, _ = decode(start(0, **call), event("content_block_stop", index=0))
    assert ToolRequest("t", "n", {"a": 1}) in deltas


@pytest.mark.parametrize("arguments", ['{"a": ', "[1]", "nonsense"])
def test_arguments_that_max_tokens_cut_are_dropped_with_their_call(arguments: str) -> None:
    deltas, decoder = decode(
        start(0, type="thinking", thinking="", signature="s"),
        start(1, type="tool_use", id="t", name="n", input={}),
        delta(1, type="input_json_delta", partial_json=arguments),
        event("content_block_stop", index=1),
        stop("max_tokens"),
    )
    assert decoder.failure is None
    assert not any(isinstance(d, ToolRequest) for d in deltas)
    thinking = {"type": "thinking", "thinking": "", "signature": "s"}
    assert deltas[-1] == Finished("max_tokens", [thinking])


def test_blocks_that_the_server_would_refuse_are_not_sent_back() -> None:
    deltas, _ = decode(
        start(0, type="thinking", thinking="no signature"),
        start(1, **TEXT),
        start(2, type="redacted_thinking", data="x"),
        stop("end_turn"),
    )
    assert deltas[-1] == Finished("end_turn", [{"type": "redacted_thinking", "data": "x"}])


def test_a_tool_that_the_server_runs_is_kept_but_not_ours_to_call() -> None:
    result = {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}
    deltas, _ = decode(
        start(0, type="server_tool_use", id="s", name="web_search", input={}),
        delta(0, type="input_json_delta", partial_json='{"q": 1}'),
        event("content_block_stop", index=0),
        start(1, **result),
        stop("pause_turn"),
    )
    call = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}}
    assert deltas == [Hidden(8), Finished("pause_turn", [call, result])]


def test_what_is_kept_and_not_shown_is_told() -> None:
    secret = "s" * 1000
    first, second = decode(
        start(0, type="redacted_thinking", data=secret),
        start(1, type="thinking", thinking=""),
        delta(1, type="signature_delta", signature=secret),
    )[0]
    assert isinstance(first, Hidden) and 1000 < first.size < 1200
    assert second == Hidden(1000)


def test_blocks_without_end_are_a_failure() -> None:
    _, decoder = decode(*(start(n, **TEXT) for n in range(MAX_BLOCKS)))
    assert decoder.failure is None
    _, decoder = decode(*(start(n, **TEXT) for n in range(MAX_BLOCKS + 1)))
    assert decoder.failure is not None


def test_nothing_counts_after_the_end() -> None:
    deltas, decoder = decode(stop("end_turn"), start(0, type="text", text="more"))
    assert deltas == [Finished("end_turn", [])]
    assert decoder.failure is None


def test_counts_that_are_absent_or_null_keep_their_last_value() -> None:
    usage = {"input_tokens": 5, "output_tokens": 1, "cache_read_input_tokens": 2}
    last = {"input_tokens": None, "output_tokens": 9}
    details = {"output_tokens_details": {"thinking_tokens": 4}}
    deltas, _ = decode(
        event("message_start", message={"usage": usage}),
        event("message_delta", delta={}, usage={**last, **details}),
    )
    assert isinstance(deltas[-1], Counted)
    counts = deltas[-1].counts
    assert (counts.input_tokens, counts.output_tokens, counts.cache_read_tokens) == (7, 9, 2)
    assert counts.reasoning_tokens == 4


def test_what_is_no_event_is_a_failure_after_what_came_before() -> None:
    text, more = start(0, type="text", text="a"), start(1, type="text", text="b")
    deltas, decoder = decode(text, b"data: {\n\n", more)
    assert deltas == [TextDelta(["a"])]
    assert decoder.failure is not None and decoder.failure.code == "upstream_error"


def test_a_call_without_a_name_is_a_failure() -> None:
    _, decoder = decode(start(0, type="tool_use", id="t"))
    assert decoder.failure is not None and decoder.failure.code == "upstream_error"


@pytest.mark.parametrize("block", [{"type": "future", "text": []}, {"type": ["text"]}, {}])
def test_an_unknown_block_may_hold_anything(block: dict[str, Any]) -> None:
    deltas, decoder = decode(start(0, **block), delta(0, type="future_delta", text=[]))
    assert deltas == [] and decoder.failure is None


def test_only_what_means_something_is_progress() -> None:
    decoder = Decoder(KEY)
    decoder.feed(event("ping") + event("future_event"))
    assert not decoder.progress
    decoder.feed(delta(0, type="text_delta", text="x"))
    assert decoder.progress


def test_a_call_that_cannot_be_read_comes_unread_unless_the_answer_was_cut() -> None:
    call = start(0, type="tool_use", id="t", name="n")
    part = delta(0, type="input_json_delta", partial_json='{"a": ')
    deltas, decoder = decode(call, part, stop("end_turn"))
    assert decoder.failure is None
    assert deltas[-2] == ToolRequest("t", "n", {}, unread='{"a": ')
    deltas, _ = decode(call, part, stop("max_tokens"))
    assert not any(isinstance(d, ToolRequest) for d in deltas)
    assert deltas[-1] == Finished("max_tokens", [])


def test_a_key_that_the_server_repeats_is_not_logged() -> None:
    _, decoder = decode(event("error", error={"type": "api_error", "message": f"bad {KEY}"}))
    assert decoder.failure is not None
    assert decoder.failure.reason == "in the answer (server): api_error: bad [key]"


def test_an_error_of_a_gateway_needs_no_type() -> None:
    decoder = Decoder("")
    decoder.feed(b'data: {"error": {"message": "slow", "code": 429}}\n\n')
    assert decoder.failure is not None and decoder.failure.code == "upstream_overloaded"
