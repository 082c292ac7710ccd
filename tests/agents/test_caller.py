"""`agents.caller`: a principal that asks an agent, and goes on asking."""

from dataclasses import replace

import pytest

from agents.caller import Address, Caller
from agents.models import Agent, ApiKey
from engine.errors import ClawError
from tests.agents.callers import caller_of, having, visitor_of


@pytest.fixture
def caller(key: tuple[ApiKey, str], agent: Agent) -> Caller:
    return caller_of(key[0], agent)


def test_it_works(caller: Caller, agent: Agent) -> None:
    assert caller.require_agent().id == agent.id
    assert Address(host_slug="Helper", agent_id="agt_1").names == ["helper", "agt_1"]


def test_an_agent_must_be_named_where_there_are_several(caller: Caller) -> None:
    with pytest.raises(ClawError) as refused:
        replace(caller, agent=None).require_agent()
    assert refused.value.code == "invalid_message"


async def test_one_that_lasts_is_derived_anew(caller: Caller) -> None:
    async def derive() -> Caller:
        return having(caller, scopes=frozenset({"chat"}))

    lasting = caller.lasting("192.0.2.1", derive)
    assert lasting.again is not None
    later = await lasting.again()
    assert later.principal.scopes == {"chat"}
    assert later.client == lasting.client == "192.0.2.1"
    assert later.again is not None  # and once more


async def test_another_one_is_not_taken_for_it(caller: Caller) -> None:
    async def derive() -> Caller:
        return having(caller, id="key_2")

    lasting = caller.lasting("192.0.2.1", derive)
    assert lasting.again is not None
    with pytest.raises(ClawError) as refused:
        await lasting.again()
    assert refused.value.code == "agent_not_found"


def test_fewer_scopes_are_less(caller: Caller) -> None:
    assert caller.sees_less(having(caller, scopes=frozenset({"chat"})))
    assert not having(caller, scopes=frozenset({"chat"})).sees_less(caller)


def test_what_is_shown_to_visitors_counts_for_visitors_alone(caller: Caller) -> None:
    agent = replace(caller.require_agent(), show_tools=True)
    shown = replace(caller, agent=agent)
    hidden = replace(caller, agent=replace(agent, show_tools=False))
    assert not shown.sees_less(hidden)
    assert visitor_of(shown, "visitor:1").sees_less(visitor_of(hidden, "visitor:1"))
