from engine.providers.anthropic.wire import encode_request
from engine.request import ToolSpec, Turn
from tests.engine.providers.contract import ask

SCHEMA = {"type": "object", "properties": {}}
WEATHER = ToolSpec(name="weather", description="The weather", input_schema=SCHEMA)


def test_it_works() -> None:
    assert encode_request(ask("Hello", max_tokens=77)) == {
        "model": "claude-sonnet-5-5",
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 77,
        "stream": True,
    }


def test_thinking_is_adaptive_and_shown() -> None:
    body = encode_request(ask("Hello", thinking=True))
    assert body["thinking"] == {"type": "adaptive", "display": "summarized"}


def test_tools_are_sent_with_their_schema() -> None:
    body = encode_request(ask("Hello", tools=[WEATHER]))
    assert body["tools"] == [
        {"name": "weather", "description": "The weather", "input_schema": SCHEMA}
    ]


def test_parameters_are_added_but_never_replace_the_call_itself() -> None:
    parameters = {"temperature": 0.5, "model": "other", "stream": False, "messages": []}
    body = encode_request(ask("Hello", parameters=parameters))
    assert body == encode_request(ask("Hello")) | {"temperature": 0.5}


def test_empty_instructions_are_left_out() -> None:
    assert "system" not in encode_request(ask("Hello", instructions=""))


def test_blocks_stand_for_their_turn() -> None:
    blocks = [{"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "Hi"}]
    hello = Turn(role="user", content="Hello")
    turns = [hello, Turn(role="assistant", content="Hi", blocks=blocks), hello]
    message = encode_request(ask("", turns=turns))["messages"][1]
    assert message == {"role": "assistant", "content": blocks}
