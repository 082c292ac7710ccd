"""`agents.api.lifecycle`: copies, and agents that are put away."""

import json

import pytest

from accounts.models import Secret
from agents.access import agent_of, opened_by
from agents.api import agents, lifecycle
from agents.auth import keys
from agents.config import AgentConfig
from agents.models import Agent
from engine.errors import ClawError
from tests.agents.api import request
from tests.agents.callers import caller_of


@pytest.fixture
def caller(agent):
    """A key that manages acme's one agent, and asks it."""
    scopes = ["agents:read", "agents:write"]
    return caller_of(
        keys.create_key(agent.organization, name="m", agents=[agent], scopes=scopes)[0], agent
    )


def shown(answer):
    return json.loads(answer.content)


def listed(caller, query=""):
    found = shown(agents.index(request(query=query), caller))["agents"]
    return [agent["slug"] for agent in found]


def test_it_works(caller, agent):
    archived = shown(lifecycle.archive(request(), caller))
    assert archived["archivedAt"] is not None
    assert shown(lifecycle.archive(request(), caller)) == archived
    assert (listed(caller), listed(caller, "archived=1")) == ([], ["helper"])
    assert AgentConfig.of(agent_of(caller)).archived
    assert shown(lifecycle.restore(request(), caller))["archivedAt"] is None
    assert (listed(caller), listed(caller, "archived=1")) == (["helper"], [])


def test_a_copy_is_as_published_and_opens_to_nobody(caller, agent):
    agent.instructions, agent.public_page = "Be brief.", True
    agent.allowed_origins, agent.show_tools = ["https://example.com"], True
    agent.save()
    made = Agent.objects.get(pk=shown(lifecycle.duplicate(request(), caller))["id"])
    assert (made.name, made.slug, made.version) == ("Helper (copy)", "helper-copy", 1)
    assert (made.instructions, made.show_tools) == ("Be brief.", True)
    assert (made.public_page, made.allowed_origins) == (False, [])
    assert made in opened_by(caller.principal)
    named = shown(lifecycle.duplicate(request({"name": "Two", "slug": "second"}), caller))
    assert (named["name"], named["slug"]) == ("Two", "second")


def test_a_long_name_is_cut(caller, agent):
    agent.name = "n" * 150
    agent.save()
    assert len(shown(lifecycle.duplicate(request(), caller))["name"]) == 150


def test_a_copy_with_a_secret_needs_an_admin(caller, agent):
    agent.credential = Secret.objects.create(organization=agent.organization, name="S", value="v")
    agent.save()
    with pytest.raises(ClawError) as raised:
        lifecycle.duplicate(request(), caller)
    assert raised.value.code == "forbidden"
    assert Agent.objects.count() == 1


@pytest.mark.parametrize("function", [lifecycle.duplicate, lifecycle.archive, lifecycle.restore])
def test_reading_is_not_writing(agent, function):
    reader = keys.create_key(agent.organization, name="r", scopes=["agents:read"])[0]
    with pytest.raises(ClawError) as raised:
        function(request(), caller_of(reader, agent))
    assert raised.value.code == "forbidden"
