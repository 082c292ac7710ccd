"""`agents.versions.choosing`, and the versions that keys and visitors are pinned to."""

import json

import pytest

from agents.api import keys as api
from agents.api import versions
from agents.auth import key_holders, keys, rotation
from agents.auth.key_format import digest
from agents.caller import Address
from agents.public import visited
from agents.validators import DEFAULT_SCOPES
from agents.versions.access import store_draft
from agents.versions.choosing import chosen
from core.database import database_step
from engine.errors import ClawError
from tests.agents.api import request
from tests.agents.callers import caller_of

SCOPES = [*DEFAULT_SCOPES, "agents:read", "agents:write", "keys:write"]


@pytest.fixture
def editor(agent):
    """A key that may change acme's agent, which has two versions and a draft."""
    agent.instructions = "Two."
    agent.save()
    store_draft(agent, {"instructions": "Draft."})
    made, _ = keys.create_key(agent.organization, name="e", agents=[agent], scopes=SCOPES)
    return caller_of(made, agent)


async def instructions(token):
    caller = await key_holders.authorize_key(digest(token), Address(), None)
    return caller.require_agent().instructions, caller.require_agent().version


async def test_it_works(editor):
    given = [await chosen(editor, which) for which in (None, 1, 2, "draft")]
    assert [(one.version, one.instructions) for one in given] == [
        *((2, "Two."), (1, ""), (2, "Two."), (0, "Draft.")),
    ]


async def test_a_version_is_for_those_who_may_change_the_agent(editor, key, agent):
    with pytest.raises(ClawError) as raised:
        await chosen(caller_of(key[0], agent), 1)
    assert raised.value.code == "forbidden"
    with pytest.raises(ClawError) as raised:
        await chosen(editor, 9)
    assert raised.value.code == "not_found"


async def test_a_key_has_the_version_that_it_is_pinned_to(editor):
    def pin():
        made = json.loads(api.create(request({"agentVersion": 1}), editor).content)
        return made["agentVersion"], made["apiKey"]

    number, token = await database_step(pin)
    assert number == 1
    assert await instructions(token) == ("", 1)
    await database_step(versions.publish, request(), editor)
    assert await instructions(token) == ("", 1)


def test_a_pin_needs_one_agent_and_a_version_of_it(editor, agent):
    for body, code in (
        ({"agentVersion": 9}, "not_found"),
        ({"agentVersion": 1, "everyAgent": True}, "invalid_message"),
    ):
        with pytest.raises(ClawError) as raised:
            api.create(request(body), editor)
        assert raised.value.code == code


def test_a_pinned_key_makes_no_other(editor, agent):
    made, _ = api.make(editor, api.management.NewKey(scopes=SCOPES, agent_version=1), {agent.id})
    pinned = caller_of(made, agent)
    assert api.make(pinned, api.management.NewKey(), {agent.id})[0].pinned == made.pinned
    with pytest.raises(ClawError) as raised:
        api.make(pinned, api.management.NewKey(agent_version=None), {agent.id})
    assert raised.value.details == {"field": "agentVersion"}
    assert rotation.rotate(made)[0].pinned == made.pinned


async def test_visitors_have_the_version_that_the_agent_says(agent):
    def pin():
        agent.greeting = "New"
        agent.save()
        agent.visitor_version = 1
        agent.save()

    await database_step(pin)
    found = await visited.find({"helper"})
    assert (found.greeting, found.config.version) == ("", 1)
    agent.visitor_version = None
    await agent.asave()
    assert (await visited.find({"helper"})).greeting == "New"
