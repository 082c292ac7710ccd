"""`wire.facade.responses.request`: what a client of Responses asks."""

from typing import Any

import msgspec
import pytest

from engine.errors import ClawError
from wire.facade.responses.request import ResponseRequest, parse_response

LIMIT = 32 * 1024
SAID = {"role": "user", "content": "One"}


def asked(input: Any = "Hi", **fields: Any) -> ResponseRequest:
    request = parse_response(msgspec.json.encode({"input": input, **fields}))
    request.check()
    return request


def refusal(input: Any = "Hi", **fields: Any) -> Any:
    with pytest.raises(ClawError) as raised:
        asked(input, **fields).history(message_bytes=LIMIT)
    assert raised.value.code == "invalid_message"
    return (raised.value.details or {})["field"]


def test_it_works() -> None:
    request = asked("Hi", instructions="Be brief.", model="helper")
    assert request.history(message_bytes=LIMIT).message == "Hi"
    assert request.all_instructions == ["Be brief."]
    assert request.stored and not request.background and request.conversation_id is None


def test_items_are_a_history() -> None:
    request = asked(
        [
            {"role": "system", "content": "Latin."},
            {"type": "message", "role": "user", "content": "One"},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
            {"role": "assistant", "content": [{"type": "output_text", "text": "Two"}]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
            {"role": "user", "content": [{"type": "input_text", "text": "Three"}]},
        ]
    )
    turns = request.history(message_bytes=LIMIT).turns
    assert [turn.content for turn in turns] == ["One", "Two", "No.", "Three"]
    assert request.all_instructions == ["", "Latin."]


def test_instructions_may_come_last() -> None:
    late = {"role": "developer", "content": "Latin."}
    assert asked([{"role": "user", "content": "Hi"}, late]).history(message_bytes=LIMIT).message


def test_in_a_conversation_all_of_it_is_one_message() -> None:
    request = asked([{"role": "user", "content": "One"}, {"role": "user", "content": "Two"}])
    assert request.message((), message_bytes=LIMIT).message == "One\n\nTwo"


@pytest.mark.parametrize("conversation", ["mine", {"id": "mine"}])
def test_a_conversation_is_named_in_two_forms(conversation: Any) -> None:
    assert asked(conversation=conversation).conversation_id == "mine"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"input": "  "}, "input"),
        ({"input": []}, "input"),
        ({"input": [{"role": "assistant", "content": "Hi"}]}, "input"),
        ({"input": [{"type": "message", "content": "Hi"}]}, "input[0].role"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].type"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]},
            "input[0].content[0]",
        ),
        ({"text": {"format": {"type": "json_schema", "name": "x", "schema": {}}}}, "text"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"input": [{"type": "function_call_output", "call_id": "x"}]}, "input[0].call_id"),
        ({"tool_choice": {"type": "function", "name": "f"}}, "tool_choice"),
        ({"conversation": "a b"}, "conversation"),
        ({"metadata": {"a": "\0"}}, "metadata"),
        ({"instructions": "a\0"}, "instructions"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
    ],
)
def test_a_mistake_is_refused_where_it_is(fields: dict[str, Any], field: str) -> None:
    assert refusal(**fields) == field


def test_what_asks_for_nothing_may_be_said() -> None:
    assert asked(text={"format": {"type": "text"}}, tools=[], tool_choice="auto", prompt=None)
    assert asked(text={"verbosity": "low"}, tools=[{"type": "web_search"}], truncation="auto")


@pytest.mark.parametrize(
    "kind",
    ["web_search_call", "custom_tool_call_output", "tool_search_output", "mcp_list_tools"],
)
def test_items_of_tools_that_are_no_functions_are_left_out(kind: str) -> None:
    request = asked([{"type": kind, "id": "x", "status": "completed"}, SAID])
    assert request.history(message_bytes=LIMIT).message == "One"
    assert refusal([{"type": "item_reference", "id": "x"}, SAID]) == "input[0].type"
