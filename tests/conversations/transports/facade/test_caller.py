"""`conversations.transports.facade.caller`: the agent as one request asks it."""

from dataclasses import replace

import pytest

from agents.caller import Caller
from conversations.transports.facade.caller import instructed, limited
from engine.errors import ClawError
from tests.agents.callers import caller_of, visitor_of


@pytest.fixture
def caller(key, agent) -> Caller:
    agent.instructions, agent.max_tokens = "Be brief.", 500
    return caller_of(key[0], agent)


def test_texts_are_added_behind_the_agent_s_instructions(caller: Caller) -> None:
    asked = instructed(caller, ["Answer in Latin.", " ", "Be kind."])
    assert asked.require_agent().instructions == "Be brief.\n\nAnswer in Latin.\n\nBe kind."
    assert caller.require_agent().instructions == "Be brief."


def test_texts_stand_alone_where_the_agent_has_no_instructions(caller: Caller) -> None:
    plain = replace(caller, agent=replace(caller.require_agent(), instructions=""))
    assert instructed(plain, ["Be kind."]).require_agent().instructions == "Be kind."


def test_a_visitor_adds_no_instructions(caller: Caller) -> None:
    visitor = visitor_of(caller, "visitor:v1")
    assert instructed(visitor, ["", " "]) == visitor
    with pytest.raises(ClawError) as caught:
        instructed(visitor, ["Be kind."])
    assert caught.value.code == "forbidden"


@pytest.mark.parametrize(("asked", "given"), [(None, 500), (20, 20), (500, 500), (9000, 500)])
def test_an_answer_is_no_longer_than_both_allow(
    caller: Caller, asked: int | None, given: int
) -> None:
    assert limited(caller, asked).require_agent().max_tokens == given
