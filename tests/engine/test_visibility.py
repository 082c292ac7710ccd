"""`engine.visibility`: one rule for streams, snapshots and history."""

from engine.visibility import visible
from tests import fixtures

MESSAGE = fixtures.load("tools")["snapshot"]["message"] | {"thinking": "hm", "sources": [{}]}


def test_it_works() -> None:
    seen = visible(trusted=True, show_thinking=False, show_tools=False)
    assert seen.hidden == {"step", "tool_call_delta"}
    assert seen.message(MESSAGE) == MESSAGE


def test_fragments_of_tool_calls_are_for_those_who_ask() -> None:
    asked = visible(trusted=True, show_thinking=False, show_tools=False, deltas=True)
    assert asked.hidden == {"step"}


def test_a_visitor_sees_what_the_agent_shows() -> None:
    nothing = visible(trusted=False, show_thinking=False, show_tools=False, deltas=True)
    assert nothing.hidden == {
        *("step", "thinking", "tool_call", "tool_result", "sources", "tool_call_delta")
    }
    all_of_it = visible(trusted=False, show_thinking=True, show_tools=True, deltas=True)
    assert all_of_it.hidden == {"step"}


def test_what_is_hidden_in_a_stream_is_hidden_in_a_message() -> None:
    shown = visible(trusted=False, show_thinking=False, show_tools=False).message(MESSAGE)
    assert "thinking" not in shown
    assert shown["tools"] == shown["sources"] == []
    assert shown["content"] == MESSAGE["content"]


def test_hiding_leaves_the_message_itself_as_it_is() -> None:
    before = dict(MESSAGE)
    visible(trusted=False, show_thinking=False, show_tools=False).message(MESSAGE)
    assert before == MESSAGE
