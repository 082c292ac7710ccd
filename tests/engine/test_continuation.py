"""`engine.continuation`: what a model is sent next, from whatever the log of a run holds."""

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import events as ev
from engine.continuation import (
    GO_ON,
    LOST,
    lost_questions,
    lost_results,
    next_request,
    open_calls,
    turns_of,
    unfinished_chars,
    unfinished_request,
)
from engine.providers.anthropic import wire as anthropic_wire
from engine.providers.base import Delta, Finished, TextDelta, ThinkingDelta, ToolRequest
from engine.providers.openai import wire as openai_wire
from engine.request import Turn
from engine.transcript import Transcript, fold
from tests.engine.scripted import REQUEST, Attempt, Calculator, Scripted, add
from tests.engine.test_events import USAGE
from tests.upstream import rules, rules_chat

Block = dict[str, Any]


def tool_use(use: ToolRequest, **extra: Any) -> Block:
    return {"type": "tool_use", "id": use.id, "name": use.name, "input": use.args, **extra}


def messages_api(thought: str, text: str, uses: list[ToolRequest]) -> list[Block]:
    """An assistant's turn in the blocks of the Messages API."""
    said = [{"type": "text", "text": text}] if text else []
    thinking = [{"type": "thinking", "thinking": thought, "signature": "c2ln"}] if thought else []
    return [*thinking, *said, *map(tool_use, uses)]


def chat_completions(thought: str, text: str, uses: list[ToolRequest]) -> list[Block]:
    """The same in the blocks that our decoder makes of Chat Completions."""
    said = [{"type": "text", "text": text}] if text else []
    thinking = {"type": "thinking", "thinking": thought, "field": "reasoning_content"}
    calls = [tool_use(use, extra_content={"google": {"thought_signature": "x"}}) for use in uses]
    return [*([thinking] if thought else []), *said, *calls] if uses else []


FORMS = {"anthropic": messages_api, "openai": chat_completions}


def step(
    form: str, uses: list[ToolRequest], thought: str = "", text: str = "", stop: str = ""
) -> Any:
    """A script of one model call."""
    blocks = FORMS[form](thought, text, uses)
    said: list[Delta] = [ThinkingDelta(thought)] if thought else []
    said += [TextDelta([text])] if text else []
    return [[*said, *uses], [Finished(stop or ("tool_use" if uses else "end_turn"), blocks)]]


def folded(events: list[ev.Event]) -> Transcript:
    transcript = Transcript()
    for event in events:
        fold(transcript, event)
    return transcript


def recorded(*scripts: Any) -> list[ev.Event]:
    """The events of a run."""
    return asyncio.run(Attempt(Scripted(*scripts), Calculator()).run())


def before(kind: type[ev.Event], events: list[ev.Event]) -> list[ev.Event]:
    """The events before the last one of a kind."""
    last = max(place for place, event in enumerate(events) if isinstance(event, kind))
    return events[:last]


TWO = [add(1, id="a"), add(2, id="b")]


def test_it_works() -> None:
    assert next_request(REQUEST, Transcript()) == REQUEST


@pytest.mark.parametrize("form", FORMS)
def test_finished_steps_are_sent_in_the_providers_own_blocks(form: str) -> None:
    events = recorded(step(form, TWO, "hm", "Let me see."), step(form, [], text="Three."))
    call, results = next_request(REQUEST, folded(before(ev.Token, events))).turns[1:]
    assert call.blocks == FORMS[form]("hm", "Let me see.", TWO)
    assert [block["tool_use_id"] for block in results.blocks] == ["a", "b"]
    assert results.blocks[0]["content"] == '{"sum":1}'


@pytest.mark.parametrize("form", FORMS)
def test_an_unfinished_call_is_gone_on_with_after_the_steps(form: str) -> None:
    events = recorded(step(form, TWO, text="Let me see. "), step(form, [], text="Three"))
    transcript = folded(before(ev.Step, events))
    *_, results, cut, ask = next_request(REQUEST, transcript).turns
    assert len(results.blocks) == 2
    assert (cut.content, ask.content) == ("Three", GO_ON)
    assert unfinished_request(REQUEST, transcript).turns[-1] == results
    assert unfinished_chars(transcript) == 5


@pytest.mark.parametrize("said", ["", "\n"])
def test_a_call_that_has_said_nothing_is_asked_again(said: str) -> None:
    transcript = folded([ev.Token(content=said, index=0)] if said else [])
    assert next_request(REQUEST, transcript) == REQUEST


def test_results_go_back_in_the_order_of_the_calls() -> None:
    events = recorded(step("anthropic", TWO), step("anthropic", [], text="x"))
    results = [event for event in events if isinstance(event, ev.ToolResult)]
    others = [event for event in before(ev.Token, events) if event not in results]
    blocks = next_request(REQUEST, folded([*others, *reversed(results)])).turns[-1].blocks
    assert [block["tool_use_id"] for block in blocks] == ["a", "b"]


def test_a_call_without_a_result_has_one_that_says_so() -> None:
    events = recorded(step("anthropic", TWO), step("anthropic", [], text="x"))
    transcript = folded(before(ev.ToolResult, events))
    done, lost = next_request(REQUEST, transcript).turns[-1].blocks
    assert "is_error" not in done
    assert (lost["tool_use_id"], lost["content"], lost["is_error"]) == ("b", LOST, True)
    assert [call.id for call in open_calls(transcript)] == ["b"]

    (event,) = lost_results(transcript)
    assert isinstance(event, ev.ToolResult) and (event.id, event.is_error) == ("b", True)
    after = fold(transcript, event)
    assert not open_calls(after) and not lost_results(after)
    assert next_request(REQUEST, after).turns[-1].blocks == [done, lost]


def test_a_call_that_is_kept_stays_open() -> None:
    events = recorded(step("anthropic", TWO), step("anthropic", [], text="x"))
    assert not lost_results(folded(before(ev.ToolResult, events)), {"b"})


def test_a_call_of_a_step_that_has_not_finished_is_never_carried_out() -> None:
    transcript = folded(before(ev.Step, recorded(step("openai", TWO, stop="max_tokens"))))
    assert not open_calls(transcript)
    assert len(lost_results(transcript)) == 2  # for who watches
    assert next_request(REQUEST, transcript) == REQUEST


def test_a_paused_turn_is_sent_back_as_it_is() -> None:
    blocks = [{"type": "server_tool_use", "id": "srv_1"}]
    transcript = folded([ev.Step(stop_reason="pause_turn", blocks=blocks)])
    assert not transcript.answered
    paused = Turn(role="assistant", content="", blocks=blocks)
    assert next_request(REQUEST, transcript).turns == [*REQUEST.turns, paused]


@pytest.mark.parametrize("form", FORMS)
def test_later_runs_send_all_that_was_said(form: str) -> None:
    events = recorded(step(form, TWO, text="Let me see. "), step(form, [], text="Three."))
    roles = [turn.role for turn in turns_of(folded(events))]
    assert roles == ["assistant", "user", "assistant"]
    last = turns_of(folded(events))[-1]
    assert last.content == "Three." or last.blocks[0]["text"] == "Three."
    cut = turns_of(folded(before(ev.Step, events)))
    assert cut[-1] == Turn(role="assistant", content="Three.")


USES = st.lists(st.integers(0, 9), max_size=3).map(
    lambda numbers: [add(n, id=f"call_{i}") for i, n in enumerate(numbers)]
)
TEXTS = st.sampled_from(["", " ", "Let me see. "])
STEPS = st.lists(st.tuples(USES.filter(bool), TEXTS, TEXTS), max_size=3)


@given(st.sampled_from(sorted(FORMS)), STEPS, st.data())
def test_from_any_prefix_of_a_log_the_request_is_one_that_model_servers_take(
    form: str, steps: list[tuple[list[ToolRequest], str, str]], data: st.DataObject
) -> None:
    scripts = [step(form, *said) for said in steps]
    events = recorded(*scripts, step(form, [], text="Three."))
    length = data.draw(st.integers(0, len(events)))
    request = next_request(REQUEST, folded(events[:length]))
    assert request.turns[0] == REQUEST.turns[0]
    if form == "anthropic":
        sent = anthropic_wire.encode_request(request)["messages"]
        rules.check_messages(sent)
        assert all(one["role"] != other["role"] for one, other in pairwise(sent))
    else:
        sent = openai_wire.encode_request(request, "max_tokens")["messages"]
        rules_chat.check_messages(sent)
    assert sent[-1]["role"] != "assistant" or length == len(events)
    calls = sum(len(turn.blocks) for turn in request.turns if turn.role == "user")
    finished = [event for event in events[:length] if isinstance(event, ev.Step)]
    assert calls == sum(len(event.tool_calls) for event in finished)  # none is left out


def test_calls_that_are_handed_over_wait_for_their_results() -> None:
    """An answer that ends with calls has no results for them: its client's next message has."""
    blocks = FORMS["anthropic"]("", "", TWO)
    transcript = folded([ev.Step(stop_reason="tool_use", blocks=blocks)])
    assert [turn.role for turn in turns_of(transcript)] == ["assistant", "user"]  # it was cut
    fold(transcript, ev.MessageComplete(content="", usage=USAGE, stop_reason="tool_use"))
    (turn,) = turns_of(transcript)
    assert turn.role == "assistant" and turn.blocks


def test_a_question_that_came_up_in_a_call_is_over_with_its_process() -> None:
    """That of a call itself is asked again, and one of another agent is its own."""
    transcript = Transcript()
    call = {"id": "call_1", "tool": "ask_user", "args": {}, "name": "ask_user", "arguments": {}}
    fold(transcript, ev.ToolCall(**call))
    expires_at = datetime(2100, 1, 1, tzinfo=UTC)
    for id, child in (("call_1", None), ("call_2", None), ("call_3", "run_2")):
        question = ev.Question(id=id, text="?", expires_at=expires_at, child_run_id=child)
        fold(transcript, question)
    (lost,) = lost_questions(transcript)
    assert isinstance(lost, ev.ToolResult)
    assert (lost.id, lost.client, lost.result) == ("call_2", True, LOST)
    fold(transcript, lost)
    assert [call.id for call in transcript.pending] == ["call_1", "call_3"]
    assert lost_questions(transcript) == []
