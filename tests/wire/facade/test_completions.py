"""`wire.facade.completions`: what a client of Chat Completions asks."""

from typing import Any

import msgspec
import pytest

from engine.errors import ClawError
from wire.facade.completions import CompletionRequest, finish_reason, parse_completion
from wire.native import ChatRequest

LIMIT = 32 * 1024
USER = {"role": "user", "content": "Hi"}


def parsed(*messages: Any, **fields: Any) -> CompletionRequest:
    body = {"model": "helper", "messages": list(messages) or [USER], **fields}
    return parse_completion(msgspec.json.encode(body))


def asked(*messages: Any, **fields: Any) -> ChatRequest:
    return parsed(*messages, **fields).chat(message_bytes=LIMIT)


def refusal(*messages: Any, **fields: Any) -> tuple[str, Any]:
    with pytest.raises(ClawError) as raised:
        asked(*messages, **fields)
    return raised.value.code, (raised.value.details or {}).get("field")


def test_it_works() -> None:
    request = parsed(
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Who"}, {"type": "text", "text": "?"}],
        },
    )
    chat = request.chat(message_bytes=LIMIT)
    assert [(turn.role, turn.content) for turn in chat.turns] == [
        ("user", "Hi"),
        ("assistant", "Hello."),
        ("user", "Who\n?"),
    ]
    assert request.instructions == ["Be brief."]
    assert not request.stream and not request.include_usage and request.limit is None


def test_a_single_message_is_one_that_a_visitor_may_send() -> None:
    assert asked().message == "Hi" and asked().messages is None


def test_a_developer_instructs_like_a_system() -> None:
    request = parsed({"role": "developer", "content": "Latin."}, USER)
    assert request.instructions == ["Latin."]


def test_options_that_are_the_agent_s_are_left_to_it() -> None:
    assert asked(temperature=0.1, seed=7, user="ada", reasoning_effort="high", unheard_of=[1])


def test_the_newer_name_of_the_limit_wins() -> None:
    assert parsed(max_tokens=5).limit == 5
    assert parsed(max_tokens=5, max_completion_tokens=7).limit == 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2),
        ("n", 0),
        ("stop", "\n"),
        ("response_format", {"type": "json_object"}),
        ("modalities", ["text", "audio"]),
        ("audio", {"voice": "alloy"}),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("logit_bias", {"50256": -100}),
        ("functions", [{"name": "f"}]),
        ("function_call", {"name": "f"}),
        ("tool_choice", "required"),
        ("web_search_options", {}),
    ],
)
def test_what_is_not_supported_is_refused_by_its_name(name: str, value: Any) -> None:
    assert refusal(**{name: value}) == ("invalid_message", name)


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 1, "stop": None, "logprobs": False, "logit_bias": {}, "tools": []},
        {"response_format": {"type": "text"}, "modalities": ["text"], "tool_choice": "auto"},
    ],
)
def test_what_changes_nothing_may_be_said(fields: dict[str, Any]) -> None:
    assert asked(**fields)


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([{"role": "assistant", "content": "Hi"}], "messages"),
        ([{"role": "system", "content": "Hi"}], "messages"),
        ([USER, {"role": "assistant", "content": "Hi"}], "messages"),
        ([{"role": "user", "content": "  "}], "messages[0].content"),
        ([USER, {"role": "user", "content": None}], "messages[1].content"),
        ([{"role": "user", "content": "a\0"}], "messages[0].content"),
        ([{"role": "bishop", "content": "Hi"}], "messages[0].role"),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}],
            "messages[0].content[0]",
        ),
    ],
)
def test_a_wrong_message_is_refused_where_it_is(messages: list[Any], field: str) -> None:
    assert refusal(*messages) == ("invalid_message", field)


def test_no_messages_at_all_are_refused() -> None:
    body = msgspec.json.encode({"model": "helper", "messages": []})
    with pytest.raises(ClawError) as raised:
        parse_completion(body).chat(message_bytes=LIMIT)
    assert raised.value.details == {"field": "messages"}


def test_an_answer_that_broke_off_is_no_mistake() -> None:
    broken = {"role": "assistant", "content": ""}
    assert len(asked(USER, broken, USER).turns) == 2


def test_a_message_and_a_history_have_a_size() -> None:
    long = {"role": "user", "content": "é" * (LIMIT // 2 + 1)}
    assert refusal(long)[0] == "message_too_large"
    assert asked(long, USER)
    assert refusal(*[USER] * 401) == ("invalid_message", "messages")


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("heard of never", "stop"),
        (None, "stop"),
    ],
)
def test_every_stop_reason_has_one_of_openai_s(reason: str | None, finish: str) -> None:
    assert finish_reason(reason) == finish
