"""`recording.steps`: what of an answer is kept for later prompts, and for whom."""

import json

import pytest

from conversations.execution.recording import steps
from conversations.execution.recording.steps import pack, pack_turn, unpack
from conversations.models import Run
from engine import events as ev
from engine.request import Turn
from engine.transcript import Transcript, fold
from tests.conversations.parts import ask

CALL = {"type": "tool_use", "id": "t", "name": "add", "input": {"n": 1}}


@pytest.fixture
def run(caller) -> Run:
    return ask(caller).run


def answered(result: object = 1) -> Transcript:
    """An answer with a tool call."""
    transcript = Transcript()
    for event in (
        ev.ToolCall(id="t", tool="add", args={}, name="add", arguments={}),
        ev.Step(stop_reason="tool_use", blocks=[CALL]),
        ev.ToolResult(id="t", tool="add", result=result, is_error=False, duration_ms=0),
        ev.Token(content="One.", index=0),
        ev.Step(stop_reason="end_turn"),
    ):
        fold(transcript, event)
    return transcript


def test_it_works(run):
    turns = unpack(json.dumps(pack(run, answered())), run)
    assert [turn.role for turn in turns] == ["assistant", "user", "assistant"]
    assert turns[0].blocks == [CALL]
    assert turns[1].blocks[0]["tool_use_id"] == "t"
    assert turns[2] == Turn(role="assistant", content="One.")


def test_of_text_alone_nothing_is_kept(run):
    transcript = fold(Transcript(), ev.Token(content="Hi", index=0))
    assert pack(run, fold(transcript, ev.Step(stop_reason="end_turn"))) == []
    assert pack(run, Transcript()) == []


def test_a_call_that_was_cut_is_kept_with_a_result(run):
    transcript = fold(Transcript(), ev.Step(stop_reason="tool_use", blocks=[CALL]))
    call, result = unpack(json.dumps(pack(run, transcript)), run)
    assert call.blocks == [CALL] and result.blocks[0]["is_error"]


def test_of_a_very_long_answer_the_text_is_enough(run, monkeypatch):
    monkeypatch.setattr(steps, "MAX_STEPS_BYTES", 1000)
    assert pack(run, answered("x" * 500)) != []
    assert pack(run, answered("x" * 1000)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"provider": "openai"},
        {"model": "other"},
        {"base_url": "https://other.example.com"},
        {"tools": [{"builtin": "current_time"}]},
        {"thinking": True},
    ],
)
def test_another_agent_does_not_get_it(run, change):
    stored = json.dumps(pack(run, answered()))
    run.provider = change.get("provider", run.provider)
    run.model = change.get("model", run.model)
    run.config = {**run.config, **change}
    assert unpack(stored, run) == []


def test_what_does_not_matter_to_the_model_server_may_change(run):
    stored = json.dumps(pack(run, answered()))
    run.config = {**run.config, "instructions": "Other.", "max_tokens": 7}
    assert len(unpack(stored, run)) == 3


@pytest.mark.parametrize(
    "stored", ["[]", '[[{"type": "thinking"}]]', "{}", '{"of": 1}', '{"of": "x", "turns": {}}']
)
def test_what_another_version_has_stored_counts_as_nothing(run, stored):
    assert unpack(stored, run) == []


def test_a_turn_of_the_caller_s_own_history_is_kept_as_it_is(run):
    result = {"type": "tool_result", "tool_use_id": "t", "content": "x"}
    for turn in (
        Turn(role="assistant", content="", blocks=[CALL]),
        Turn(role="user", content="x", blocks=[result, {"type": "text", "text": "So?"}]),
    ):
        assert unpack(json.dumps(pack_turn(run, turn)), run) == [turn]
    assert pack_turn(run, Turn(role="user", content="Hi")) == []


def test_a_long_result_is_cut_there_too(run, settings):
    settings.CLAW_TOOL_RESULT_BYTES = 100
    result = {"type": "tool_result", "tool_use_id": "t", "content": "x" * 1000}
    (turn,) = unpack(
        json.dumps(pack_turn(run, Turn(role="user", content="", blocks=[result]))), run
    )
    assert turn.blocks[0]["content"].endswith("[The result was cut here: it has 1002 bytes.]")
