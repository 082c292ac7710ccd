"""What servers send that ours does not; the rest is tested with one in `test_openai.py`."""

import json
from typing import Any

import pytest

from engine.providers.base import (
    Counted,
    Delta,
    Finished,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolRequest,
)
from engine.providers.openai.decode import Decoder

KEY = "sk-SECRET"
DONE = b"data: [DONE]\n\n"


def chunk(**fields: Any) -> bytes:
    return f"data: {json.dumps(fields)}\n\n".encode()


def delta(finish_reason: str | None = None, **fields: Any) -> bytes:
    return chunk(choices=[{"index": 0, "delta": fields, "finish_reason": finish_reason}])


def call(name: str | None = None, arguments: str = "", **fields: Any) -> bytes:
    return delta(tool_calls=[{"function": {"name": name, "arguments": arguments}, **fields}])


def decode(*events: bytes) -> tuple[list[Delta], Decoder]:
    decoder = Decoder(KEY)
    return decoder.feed(b"".join(events)), decoder


def test_text_that_comes_together_is_decoded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    _, decoder = decode(delta(role="assistant", content="a"))
    monkeypatch.delattr(Decoder, "_event")  # which takes them one by one
    more = delta(content="b") + delta(role="assistant", content="c", refusal=None, reasoning="")
    assert decoder.feed(more) == [TextDelta(["b", "c"])]


@pytest.mark.parametrize(
    "last",
    [
        delta("stop", content="c"),
        delta(content="c", reasoning="hm"),
        delta(content="c", tool_calls=[]),
        chunk(choices=[{"delta": {"content": "c"}}], usage={"prompt_tokens": 1}),
    ],
)
def test_text_that_something_comes_with_is_looked_at(last: bytes) -> None:
    _, decoder = decode(delta(content="a"))
    deltas = decoder.feed(delta(content="b") + last)
    assert deltas == decode(delta(content="b"), last)[0]


def uses(deltas: list[Delta]) -> list[ToolRequest]:
    return [delta for delta in deltas if isinstance(delta, ToolRequest)]


def test_it_works() -> None:
    deltas, decoder = decode(delta(content="hi"), delta("stop"), DONE)
    assert deltas == [TextDelta(["hi"]), Finished("end_turn", [])]
    assert decoder.done and decoder.failure is None


def test_the_end_of_the_body_ends_a_finished_answer() -> None:
    _, decoder = decode(delta("length"))
    assert decoder.end() == [Finished("max_tokens", [])]
    assert decoder.done and decoder.failure is None


def test_the_end_of_the_body_breaks_off_any_other() -> None:
    _, decoder = decode(delta(content="hi"))
    assert decoder.end() == []
    assert decoder.failure is not None and decoder.failure.code == "upstream_truncated"


def test_a_thought_under_both_names_is_one() -> None:
    deltas, _ = decode(delta(reasoning="hm", reasoning_content="hm"))
    assert deltas == [ThinkingDelta("hm")]


def test_a_delta_may_hold_several_things() -> None:
    tool = {"index": 0, "id": "c", "function": {"name": "n", "arguments": "{}"}}
    deltas, _ = decode(delta(content="b", reasoning="a", tool_calls=[tool]))
    assert deltas == [ThinkingDelta("a"), TextDelta(["b"]), ToolDelta(0, "{}", id="c", name="n")]


def test_a_refusal_is_shown_and_named() -> None:
    deltas, _ = decode(delta(refusal="I can not."), delta("stop"), DONE)
    assert deltas == [TextDelta(["I can not."]), Finished("refusal", [])]


def test_thinking_goes_back_with_calls_under_its_name() -> None:
    deltas, _ = decode(delta(reasoning="hm"), call("n", id="c", index=0), delta("tool_calls"), DONE)
    assert isinstance(deltas[-1], Finished)
    assert deltas[-1].blocks == [
        {"type": "thinking", "thinking": "hm", "field": "reasoning"},
        {"type": "tool_use", "id": "c", "name": "n", "input": {}},
    ]


@pytest.mark.parametrize("reason", ["stop", "tool_calls", "function_call"])
def test_calls_make_it_a_tool_turn_whatever_the_reason(reason: str) -> None:
    deltas, _ = decode(call("n", id="c"), delta(reason), DONE)
    assert uses(deltas) == [ToolRequest("c", "n", {})]
    assert isinstance(deltas[-1], Finished) and deltas[-1].stop_reason == "tool_use"


def test_a_tool_turn_without_calls_is_a_usual_end() -> None:
    assert decode(delta("tool_calls"), DONE)[0] == [Finished("end_turn", [])]


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_calls_of_an_answer_that_was_cut_are_dropped(reason: str) -> None:
    deltas, decoder = decode(call("n", '{"a": ', id="c", index=0), delta(reason), DONE)
    assert decoder.failure is None and not uses(deltas)
    assert isinstance(deltas[-1], Finished) and deltas[-1].blocks == []


@pytest.mark.parametrize("index", [{}, {"index": 0}])
def test_a_new_id_is_a_new_call_whatever_the_index(index: dict[str, int]) -> None:
    first, second = call("a", "{}", id="1", **index), call("b", "{}", id="2", **index)
    deltas, _ = decode(first, second, delta("stop"), DONE)
    assert uses(deltas) == [ToolRequest("1", "a", {}), ToolRequest("2", "b", {})]


def test_fragments_of_several_calls_may_mix() -> None:
    deltas, _ = decode(
        call("a", "{", id="1", index=0),
        call("b", "{", id="2", index=1),
        call(arguments='"x":1}', index=0),
        call(arguments='"y":2}', index=1),
        delta("tool_calls"),
        DONE,
    )
    assert uses(deltas) == [ToolRequest("1", "a", {"x": 1}), ToolRequest("2", "b", {"y": 2})]


def test_an_id_and_a_name_may_be_repeated() -> None:
    deltas, _ = decode(
        call("a", "{", id="1", index=0), call("a", "}", id="1", index=0), delta("stop"), DONE
    )
    assert uses(deltas) == [ToolRequest("1", "a", {})]


def test_a_call_without_an_id_gets_one_of_ours() -> None:
    deltas, _ = decode(call("a", "{}", id=""), call("b", "{}"), delta("stop"), DONE)
    first, second = uses(deltas)
    assert (first.name, second.name) == ("a", "b")
    assert first.id.startswith("call_") and first.id != second.id


def test_calls_beside_each_other_are_two_also_with_one_id_and_without_an_index() -> None:
    """https://github.com/HKUDS/nanobot/issues/4059"""
    said = [f'{{"n": {n}}}' for n in (1, 2)]
    calls = [{"id": "c", "function": {"name": "a", "arguments": each}} for each in said]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    uses = [use for use in decode(chunk(choices=[choice]), DONE)[0] if isinstance(use, ToolRequest)]
    assert [use.args for use in uses] == [{"n": 1}, {"n": 2}]
    assert uses[0].id != uses[1].id


def test_two_objects_in_one_call_come_unread() -> None:
    """https://github.com/dyedd/lens/issues/49"""
    parts = [call(arguments=f'{{"n": {n}}}', index=0) for n in (1, 2)]
    deltas, decoder = decode(call("a", id="c", index=0), *parts, delta("tool_calls"), DONE)
    assert (uses(deltas)[0].unread, decoder.failure) == ('{"n": 1}{"n": 2}', None)


def test_calls_of_one_id_and_two_indices_are_two() -> None:
    first, second = call("a", "{}", id="c", index=0), call("b", "{}", id="c", index=1)
    deltas, _ = decode(first, second, delta("stop"), DONE)
    one, other = uses(deltas)
    assert (one.name, other.name, one.id) == ("a", "b", "c")
    assert other.id.startswith("call_")


def test_what_google_wants_back_is_kept() -> None:
    extra = {"google": {"thought_signature": "s"}}
    deltas, _ = decode(call("a", id="1"), call(extra_content=extra), delta("stop"), DONE)
    assert isinstance(deltas[-1], Finished)
    assert deltas[-1].blocks[0]["extra_content"] == extra


def test_a_call_without_a_name_is_a_failure() -> None:
    _, decoder = decode(call(arguments="{}", id="1", index=0))
    assert decoder.failure is not None and decoder.failure.code == "upstream_error"


def test_thinking_that_only_the_total_counts_is_output() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 40}
    deltas, _ = decode(chunk(choices=[], usage=usage))
    assert isinstance(deltas[0], Counted)
    counts = deltas[0].counts
    assert (counts.input_tokens, counts.output_tokens, counts.reasoning_tokens) == (10, 30, 25)


def test_counts_that_are_absent_or_null_are_unknown() -> None:
    deltas, _ = decode(chunk(usage={"prompt_tokens": None, "prompt_tokens_details": None}))
    assert isinstance(deltas[0], Counted)
    assert (deltas[0].counts.input_tokens, deltas[0].counts.output_tokens) == (None, None)


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        ({"type": "server_error", "code": None}, "upstream_error", True),
        ({"type": "requests", "code": "rate_limit_exceeded"}, "upstream_overloaded", True),
        ({"type": "InternalServerError", "code": 500}, "upstream_error", True),
        ({"type": "Unavailable", "code": 503}, "upstream_overloaded", True),
        ({"type": "BadRequestError", "code": 400}, "upstream_error", False),
        ({"type": "invalid_request_error"}, "upstream_error", False),
        ("out of memory", "upstream_error", False),
    ],
)
def test_an_error_in_the_stream_has_a_code(error: Any, code: str, retryable: bool) -> None:
    deltas, decoder = decode(delta(content="a"), chunk(error=error), delta(content="b"))
    assert deltas == [TextDelta(["a"])]
    assert decoder.failure is not None
    assert (decoder.failure.code, decoder.failure.retryable) == (code, retryable)


def test_a_key_that_the_server_repeats_is_not_logged() -> None:
    _, decoder = decode(chunk(error={"message": f"bad {KEY}"}))
    assert decoder.failure is not None
    assert KEY not in decoder.failure.reason and "bad [key]" in decoder.failure.reason


def test_what_is_no_json_is_a_failure() -> None:
    _, decoder = decode(b"data: {\n\n")
    assert decoder.failure is not None and decoder.failure.code == "upstream_error"


def test_only_what_means_something_is_progress() -> None:
    decoder = Decoder(KEY)
    decoder.feed(b": ping\n\n" + chunk(choices=[]) + chunk(x=1))
    assert not decoder.progress
    decoder.feed(delta(role="assistant"))
    assert decoder.progress


HEL, STOP = delta(content="Hel"), delta("stop")


@pytest.mark.parametrize(
    "said", [{"choices": [], "msg": "too many requests"}, {"message": "too many requests"}]
)
def test_a_remark_is_the_error_where_nothing_else_is_said(said: dict[str, Any]) -> None:
    _, decoder = decode(chunk(**said), DONE)
    assert decoder.failure is not None and decoder.failure.code == "upstream_overloaded"


def test_a_remark_is_why_an_answer_broke_off() -> None:
    _, decoder = decode(HEL, chunk(msg=f"worker {KEY} died"), DONE)
    assert decoder.failure is not None and decoder.failure.code == "upstream_truncated"
    assert "worker [key] died" in decoder.failure.reason


@pytest.mark.parametrize(
    "said",
    [
        {"code": 429, "message": "slow down"},
        {"error_msg": "rate limit", "error_code": 18},
        {"status": "error", "msg": "too many requests"},
        {"base_resp": {"status_code": 1002, "status_msg": "rate limit"}},
        {"choices": [{"delta": {"content": ""}, "error": {"code": 429, "message": "slow"}}]},
        {
            "choices": [{"delta": {"content": ""}, "finish_reason": "error"}],
            "error": {"code": 502, "metadata": {"error_type": "provider_unavailable"}},
        },
    ],
)
def test_an_error_within_an_answer_is_one_in_every_form(said: dict[str, Any]) -> None:
    deltas, decoder = decode(HEL, chunk(**{"choices": [], **said}))
    assert deltas == [TextDelta(["Hel"])]
    assert decoder.failure is not None and decoder.failure.code == "upstream_overloaded"


@pytest.mark.parametrize("before", [b"", HEL])
def test_an_error_event_may_be_a_sentence(before: bytes) -> None:
    _, decoder = decode(before, b"event: Error\ndata: Rate limit reached, try again in 3s\n\n")
    assert decoder.failure is not None and decoder.failure.code == "upstream_overloaded"
    assert decoder.failure.retry_after == 3000


USAGE = {"prompt_tokens": 3, "completion_tokens": 4}


@pytest.mark.parametrize(
    "said",
    [
        {"choices": [], "usage": USAGE},
        {"choices": [{"delta": {}, "finish_reason": "stop", "usage": USAGE}]},
        {"choices": [{"delta": {"content": "lo"}, "usage": USAGE}]},
    ],
)
def test_counts_count_wherever_they_stand(said: dict[str, Any]) -> None:
    deltas, _ = decode(HEL, chunk(**said), STOP)
    counts = [delta.counts for delta in deltas if isinstance(delta, Counted)]
    assert (counts[-1].input_tokens, counts[-1].output_tokens) == (3, 4)


def test_what_is_nested_too_deeply_behind_a_broken_byte_is_malformed() -> None:
    decoder = Decoder(KEY)
    decoder.feed(b'data: {"\xff": 1, "choices": ' + b"[" * 3000 + b"]" * 3000 + b"}\n\n")
    assert decoder.failure is not None and decoder.failure.code == "upstream_error"
