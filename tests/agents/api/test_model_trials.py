"""`agents.api.model_trials`: whether a model answers, before anybody asks the agent."""

import json

import pytest

from agents.access import agent_of
from agents.api import model_trials
from agents.auth import keys
from agents.models import Agent
from core.database import database_step
from engine.errors import ClawError, Unavailable
from tests.agents.api import request
from tests.agents.callers import caller_of


@pytest.fixture
def caller(agent):
    """A key that manages acme's agent, which the demo provider answers."""
    scopes = ["agents:read", "agents:write"]
    return caller_of(keys.create_key(agent.organization, name="m", scopes=scopes)[0], agent)


async def tried(caller, **body):
    return json.loads((await model_trials.test(request(body), caller)).content)


def changed(caller, **fields):
    """The caller, after its agent was changed so."""
    Agent.objects.filter(pk=caller.agent.id).update(**fields)
    agent = agent_of(caller)
    agent.save()
    return agent.version


async def test_it_works(caller):
    answer = await tried(caller)
    assert (answer["ok"], answer["provider"], answer["model"]) == (True, "demo", "demo")
    assert "error" not in answer


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"provider": "anthropic"}, "no model credentials"),
        ({"provider": "openai", "model": "m", "base_url": "http://169.254.1.1/v1"}, ""),
    ],
)
async def test_why_it_does_not_answer_is_said(caller, fields, says):
    version = await database_step(lambda: changed(caller, **fields))
    answer = await tried(caller, agentVersion=version)
    assert not answer["ok"]
    assert answer["error"] and says in answer["error"]
    assert answer["provider"] == fields["provider"]


async def test_an_organisation_tries_one_at_a_time(caller, monkeypatch):
    monkeypatch.setattr(model_trials, "_trials", {caller.principal.organization_id})
    with pytest.raises(Unavailable):
        await tried(caller)


async def test_reading_is_not_trying(agent):
    def reader():
        made = keys.create_key(agent.organization, name="r", scopes=["agents:read"])[0]
        return caller_of(made, agent)

    with pytest.raises(ClawError) as raised:
        await tried(await database_step(reader))
    assert raised.value.code == "forbidden"
