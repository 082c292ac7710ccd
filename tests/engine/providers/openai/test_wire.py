import msgspec

from engine.providers.openai.wire import encode_request
from engine.request import ToolSpec, Turn, file_block, text_block
from tests.engine.providers.contract import ask

SCHEMA = {"type": "object", "properties": {}}
WEATHER = ToolSpec(name="weather", description="The weather", input_schema=SCHEMA)


def test_it_works() -> None:
    assert encode_request(ask("Hello", max_tokens=77), "max_tokens") == {
        "model": "claude-sonnet-5-5",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
        ],
        "max_tokens": 77,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_empty_instructions_are_left_out() -> None:
    body = encode_request(ask("Hello", instructions=""), "max_tokens")
    assert [message["role"] for message in body["messages"]] == ["user"]


def test_thinking_asks_for_an_effort_that_parameters_may_choose() -> None:
    body = encode_request(ask("", thinking=True), "max_tokens")
    assert body["reasoning_effort"] == "medium"
    chosen = ask("", thinking=True, parameters={"reasoning_effort": "low"})
    assert encode_request(chosen, "max_tokens")["reasoning_effort"] == "low"


def test_tools_are_functions_with_their_schema() -> None:
    function = {"name": "weather", "description": "The weather", "parameters": SCHEMA}
    body = encode_request(ask("Hello", tools=[WEATHER]), "max_tokens")
    assert body["tools"] == [{"type": "function", "function": function}]


def test_what_is_refused_without_tools_is_sent_with_tools_only() -> None:
    parameters = {"parallel_tool_calls": False}
    with_tools = ask("Hello", tools=[WEATHER], parameters=parameters)
    assert encode_request(with_tools, "max_tokens")["parallel_tool_calls"] is False
    without = encode_request(ask("Hello", parameters=parameters), "max_tokens")
    assert "parallel_tool_calls" not in without


def test_parameters_are_added_but_never_replace_the_call_itself() -> None:
    parameters = {"temperature": 0.5, "model": "other", "stream": False, "messages": []}
    body = encode_request(ask("Hello", parameters=parameters), "max_tokens")
    assert body == encode_request(ask("Hello"), "max_tokens") | {"temperature": 0.5}


def test_blocks_become_calls_and_messages_of_tools() -> None:
    extra = {"google": {"thought_signature": "s"}}
    blocks = [
        {"type": "thinking", "thinking": "hm", "field": "reasoning"},
        {"type": "text", "text": "Wait"},
        {"type": "tool_use", "id": "c1", "name": "a", "input": {"x": "ü"}, "extra_content": extra},
        {"type": "tool_use", "id": "c2", "name": "b", "input": {}},
    ]
    results = [
        {"type": "tool_result", "tool_use_id": "c1", "content": "sunny"},
        {"type": "tool_result", "tool_use_id": "c2", "content": "no", "is_error": True},
    ]
    turns = [
        Turn(role="user", content="Go"),
        Turn(role="assistant", content="", blocks=blocks),
        Turn(role="user", content="", blocks=results),
    ]
    first = {"id": "c1", "type": "function", "function": {"name": "a", "arguments": '{"x":"ü"}'}}
    second = {"id": "c2", "type": "function", "function": {"name": "b", "arguments": "{}"}}
    body = encode_request(ask("", turns=turns, instructions=""), "max_tokens")
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": "Wait",
            "reasoning": "hm",
            "tool_calls": [first | {"extra_content": extra}, second],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "c2", "content": "Error: no"},
    ]


def test_a_turn_of_calls_only_has_no_text() -> None:
    blocks = [{"type": "tool_use", "id": "c", "name": "a", "input": {}}]
    results = [{"type": "tool_result", "tool_use_id": "c", "content": "sunny"}]
    turns = [
        Turn(role="user", content="Go"),
        Turn(role="assistant", content="", blocks=blocks),
        Turn(role="user", content="", blocks=results),
    ]
    message = encode_request(ask("", turns=turns, instructions=""), "max_tokens")["messages"][1]
    assert message["content"] is None


def test_thinking_in_parts_of_the_content_goes_under_no_name() -> None:
    blocks = [{"type": "thinking", "thinking": "hm", "field": ""}, {"type": "text", "text": "Hi"}]
    hello = Turn(role="user", content="Hello")
    turns = [hello, Turn(role="assistant", content="", blocks=blocks), hello]
    message = encode_request(ask("", turns=turns, instructions=""), "max_tokens")["messages"][1]
    assert message == {"role": "assistant", "content": "Hi"}


def test_a_file_is_a_part_of_the_message() -> None:
    blocks = [
        file_block("a.png", "image/png", 1, "cGl4"),
        file_block("b.txt", "text/plain", 1, "SGk="),
        text_block("What?"),
    ]
    turns = [Turn(role="user", content="", blocks=blocks)]
    request = msgspec.structs.replace(ask("", instructions=""), turns=turns)
    assert encode_request(request, "max_tokens")["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,cGl4"}},
                {"type": "text", "text": "b.txt:\nHi"},
                {"type": "text", "text": "What?"},
            ],
        }
    ]
