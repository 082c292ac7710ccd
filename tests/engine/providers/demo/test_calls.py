from typing import Any

import pytest

from engine.providers.base import Finished, ToolDelta, ToolRequest
from engine.providers.demo.calls import CHOICES, read_calls
from engine.providers.registry import open_provider
from engine.request import ModelRequest, Turn, result_block
from tests.engine.providers.contract import ask, collect, text_of


@pytest.mark.parametrize(
    ("line", "tool", "args"),
    [
        ("/tool", "current_time", {}),
        ("/tool memory_search", "memory_search", {}),
        ('/tool add {"a": 1, "b": [2]}', "add", {"a": 1, "b": [2]}),
        ("/tool add {broken", "add", {}),
        ("/tool add [1]", "add", {}),
        ("/approve", "calculator", {"expression": "6 * 7"}),
        ("/approve 1 + 1", "calculator", {"expression": "1 + 1"}),
        ("/ask", "ask_user", {"text": "Which colour do you like best?", "choices": CHOICES}),
        ("/ask How are you?", "ask_user", {"text": "How are you?"}),
        ("/sources", "search_knowledge", {"query": "refund"}),
        ("/sources opening hours", "search_knowledge", {"query": "opening hours"}),
    ],
)
def test_a_directive_is_a_call(line: str, tool: str, args: dict[str, Any]) -> None:
    assert read_calls(line) == [ToolRequest("call_0", tool, args)]


async def test_it_works() -> None:
    """Each line is a call of one step, streamed as every provider streams it."""
    deltas = await collect(open_provider("demo"), ask("/delay 0\n/tool\n/ask Why?"))
    calls = [delta for delta in deltas if isinstance(delta, ToolRequest)]
    assert [call.name for call in calls] == ["current_time", "ask_user"]
    assert [delta.id for delta in deltas if isinstance(delta, ToolDelta)] == ["call_0", "call_1"]
    last = deltas[-1]
    assert isinstance(last, Finished)
    assert last.stop_reason == "tool_use"
    assert [block["id"] for block in last.blocks] == ["call_0", "call_1"]


def after(question: str, *more: Turn, is_error: bool = False) -> ModelRequest:
    """The request once the call of `question` has its result."""
    (call,) = read_calls(question)
    block = {"type": "tool_use", "id": call.id, "name": call.name, "input": call.args}
    result = result_block(call.id, {"time": "noon"}, is_error=is_error)
    turns = [
        Turn(role="user", content=f"{question}\n/delay 0"),
        Turn(role="assistant", content="", blocks=[block]),
        Turn(role="user", content="", blocks=[result]),
    ]
    return ask("", turns=[*turns, *more])


@pytest.mark.parametrize("is_error", [False, True])
async def test_the_answer_tells_the_results(is_error: bool) -> None:
    deltas = await collect(open_provider("demo"), after("/tool", is_error=is_error))
    told = "could not be used" if is_error else "answered"
    assert text_of(deltas) == f'The tool `current_time` {told}:\n\n~~~\n{{"time":"noon"}}\n~~~'
    assert isinstance(deltas[-1], Finished)
    assert deltas[-1].stop_reason == "end_turn"


async def test_the_answer_tells_what_the_user_said_meanwhile() -> None:
    deltas = await collect(
        open_provider("demo"), after("/tool", Turn(role="user", content="Hurry\n/delay 0"))
    )
    assert text_of(deltas).endswith("You said meanwhile: Hurry\n/delay 0")
