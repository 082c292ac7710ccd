"""`engine.model_call`: what deltas become. The loop around it is tested in `test_run`."""

from engine import events as ev
from engine.limits.room import Room
from engine.model_call import ModelCall
from engine.providers.base import (
    Delta,
    Finished,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolRequest,
)
from engine.tools.call_ids import CallIds
from tests.engine.scripted import REQUEST, of, one_by_one


def passed_on(*deltas: Delta, token_index: int = 0) -> tuple[ModelCall, list[ev.Event]]:
    """The call after these deltas, and its events, tokens one by one."""
    call = ModelCall(REQUEST, Room(1000), CallIds(), token_index, 0)
    seen: list[ev.Event] = []
    call.pass_on(lambda events: seen.extend(one_by_one(events)), list(deltas))
    return call, seen


def test_it_works() -> None:
    _, events = passed_on(TextDelta(["a", "b"]), token_index=3)
    assert events == [ev.Token(content="a", index=3), ev.Token(content="b", index=4)]


def test_nothing_is_emitted_for_what_nobody_sees() -> None:
    batches: list[list[ev.NewEvent]] = []
    call = ModelCall(REQUEST, Room(1000), CallIds(), 0, 0)
    call.pass_on(batches.append, [Finished("end_turn", [])])
    assert not batches and call.finished == Finished("end_turn", [])


def test_an_id_is_the_same_in_fragments_call_and_blocks() -> None:
    ids = CallIds(["t"])
    call = ModelCall(REQUEST, Room(1000), ids, 0, 0)
    seen: list[ev.Event] = []
    block = {"type": "tool_use", "id": "t", "name": "n", "input": {}}
    deltas = [
        ToolDelta(0, "{}", "t", "n"),
        ToolRequest("t", "n", {}),
        Finished("tool_use", [block]),
    ]
    call.pass_on(lambda events: seen.extend(one_by_one(events)), deltas)
    assert call.finished is not None
    found = {of(ev.ToolCallDelta, seen)[0].id, of(ev.ToolCall, seen)[0].id}
    assert found == {call.finished.blocks[0]["id"]} != {"t"}


def test_nul_is_replaced_wherever_it_would_be_stored() -> None:
    use = ToolRequest("toolu_1", "a\0dd", {"numbers\0": ["\0", 1]})
    end = Finished("st\0p", [{"text": "\0"}])
    call, events = passed_on(ThinkingDelta("h\0m"), TextDelta(["a\0b"]), use, end)
    assert of(ev.Token, events)[0].content == "a\ufffdb"
    assert of(ev.ToolCall, events)[0].args == {"numbers\ufffd": ["\ufffd", 1]}
    assert "\\x00" not in repr(events) + repr(call.finished)
