"""What of a conversation is sent, whatever is stored of it."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.providers.anthropic import wire as anthropic_wire
from engine.providers.openai import wire as openai_wire
from engine.providers.server.turns import sound
from engine.request import Turn, fit
from engine.text import is_blank
from tests.engine.providers.contract import ask
from tests.engine.test_request import TURNS, model, said, user
from tests.upstream import rules, rules_chat

BLANKS = ["", " ", "\n\n", "\u00a0\n", "\u200b", "\u3000\ufeff", "\0", "\u2028"]


def call(*ids: str, text: str = "") -> Turn:
    calls = [{"type": "tool_use", "id": id, "name": "n", "input": {}} for id in ids]
    said = [{"type": "text", "text": text}] if text else []
    return Turn(role="assistant", content="", blocks=[*said, *calls])


def result(*ids: str) -> Turn:
    results = [{"type": "tool_result", "tool_use_id": id, "content": "x"} for id in ids]
    return Turn(role="user", content="", blocks=results)


def test_it_works() -> None:
    turns = [user("Hello"), model("Hi"), user("Go"), call("a"), result("a"), model("Gone")]
    assert sound(turns) == turns


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_turn_is_left_out_and_its_neighbours_joined(blank: str) -> None:
    assert is_blank(blank)
    turns = [user("Hello"), model(blank), user("Are you there?")]
    assert sound(turns) == [user("Hello\n\nAre you there?")]
    assert sound([user(blank), model("Hi"), user("So?")]) == [user("So?")]


def test_a_blank_text_among_blocks_is_left_out() -> None:
    blank = {"type": "text", "text": "\n"}
    turn = Turn(role="assistant", content="", blocks=[blank, *call("a").blocks])
    assert sound([user("Go"), turn, result("a")])[1] == call("a")
    turn = Turn(role="assistant", content="", blocks=[blank])
    assert sound([user("Go"), turn, user("So?")]) == [user("Go\n\nSo?")]


def test_a_call_without_its_result_is_left_out() -> None:
    assert sound([user("Go"), call("a"), user("So?")]) == [user("Go\n\nSo?")]
    half = [user("Go"), call("a", "b", text="Wait"), result("b")]
    assert sound(half) == [user("Go"), call("b", text="Wait"), result("b")]
    assert sound([user("Go"), call("a", text="Wait")]) == [user("Go"), call(text="Wait")]


def test_a_result_without_its_call_is_left_out() -> None:
    assert sound([user("Go"), model("Hi"), result("a"), user("So?")])[2:] == [user("So?")]
    assert sound([user("Go"), call("a"), result("a", "b", "a")])[2] == result("a")


def test_a_result_belongs_to_the_turn_before_it_only() -> None:
    turns = [user("Go"), call("a"), result("a"), model("Hm"), result("a"), user("So?")]
    assert sound(turns) == [*turns[:4], user("So?")]


def test_an_id_that_stands_for_two_calls_is_mended() -> None:
    turns = [user("Go"), call("a"), result("a"), call("a", "a_2"), result("a_2", "a")]
    assert sound(turns) == [*turns[:3], call("a_3", "a_2"), result("a_2", "a_3")]


def test_results_come_before_text() -> None:
    text = {"type": "text", "text": "So?"}
    turn = Turn(role="user", content="", blocks=[text, *result("a", "b").blocks])
    sent = sound([user("Go"), call("a", "b"), turn])
    assert sent[2].blocks == [*result("a", "b").blocks, text]


def test_thinking_alone_is_no_turn() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "s"}
    turn = Turn(role="assistant", content="", blocks=[thinking, *call("a").blocks])
    assert sound([user("Go"), turn, user("So?")]) == [user("Go\n\nSo?")]


def test_a_result_and_a_question_are_one_turn() -> None:
    joined = sound([user("Go"), call("a"), result("a"), user("So?")])
    question = {"type": "text", "text": "So?"}
    assert joined[2:] == [Turn(role="user", content="", blocks=[*result("a").blocks, question])]
    sent = openai_wire.encode_messages(ask("", turns=joined, instructions=""))
    assert [message["role"] for message in sent] == ["user", "assistant", "tool", "user"]
    assert sent[-1]["content"] == "So?"


def test_paused_turns_are_one() -> None:
    searched = Turn(role="assistant", content="", blocks=[{"type": "server_tool_use", "id": "s"}])
    assert sound([user("Go"), searched, searched])[1].blocks == searched.blocks * 2


def test_the_last_is_sent_if_nothing_else_is_left() -> None:
    assert sound([user(" ")]) == [user(" ")]
    assert sound([model("Hi"), user("")]) == [user("")]


@pytest.mark.parametrize("blocks", [[], [{"type": "text", "text": "So far \n"}]])
def test_what_claude_shall_go_on_with_ends_in_no_white_space(blocks: list[dict[str, Any]]) -> None:
    said = Turn(role="assistant", content="So far \n", blocks=blocks)
    sent = anthropic_wire.encode_turns([user("Go"), said])[-1]["content"]
    assert sent == ([{"type": "text", "text": "So far"}] if blocks else "So far")


BLOCKS = st.sampled_from(
    [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "\n"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "tool_use", "id": "1", "name": "n", "input": {}},
        {"type": "tool_use", "id": "2", "name": "n", "input": {}},
    ]
)
RESULTS = st.sampled_from(
    [
        {"type": "tool_result", "tool_use_id": "1", "content": "x"},
        {"type": "tool_result", "tool_use_id": "2", "content": "x"},
        {"type": "text", "text": "b"},
    ]
)
ODD = st.lists(
    st.builds(model, st.sampled_from(["", " ", "hm"]))
    | st.builds(user, st.sampled_from(["", "\n", "hm"]))
    | st.lists(BLOCKS, min_size=1, max_size=4).map(
        lambda blocks: Turn(role="assistant", content="", blocks=blocks)
    )
    | st.lists(RESULTS, min_size=1, max_size=3).map(
        lambda blocks: Turn(role="user", content="", blocks=blocks)
    ),
    max_size=8,
)


@given(ODD)
def test_no_stored_turn_breaks_a_conversation_for_ever(turns: list[Turn]) -> None:
    """The rules are those that the servers were seen to have."""
    request = ask("", turns=[*turns, user("last")], instructions="")
    rules.check_messages(anthropic_wire.encode_request(request)["messages"])
    rules_chat.check_messages(openai_wire.encode_request(request, "max_tokens")["messages"])
    sent = sound(request.turns)
    assert sound(sent) == sent


@given(TURNS, st.integers(1, 100))
def test_what_fits_is_what_providers_take(turns: list[Turn], budget: int) -> None:
    sent = sound(fit(said(*turns, user("last")), budget))
    assert sent[0].role == "user" and sent[-1].content.endswith("last")
    assert not any(is_blank(turn.content) for turn in sent)
    assert all(one.role != other.role for one, other in pairwise(sent))


def test_results_of_one_step_may_come_in_two_turns() -> None:
    """Of the agent's own tools, and of the client's."""
    turns = [user("Go"), call("a", "b"), result("a"), result("b")]
    assert sound(turns) == [user("Go"), call("a", "b"), result("a", "b")]
