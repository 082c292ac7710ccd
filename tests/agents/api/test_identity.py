"""`agents.api.identity`: an agent's identity secret."""

import json

import pytest

from agents import access, keys
from agents.api import identity
from engine.errors import ClawError
from tests.agents.api import caller, request


def test_it_works(agent):
    key, _ = keys.create_key(agent.organization, name="m", agents=[agent], scopes=["keys:write"])
    answer = identity.create(request(), caller(key, agent))

    made = json.loads(answer.content)
    assert access.identity_secret(agent) == made["identitySecret"]
    assert "identitySecret" not in json.loads(answer.lasting)
    assert identity.remove(request(), caller(key, agent)).status_code == 204
    assert access.identity_secret(agent) is None


@pytest.mark.parametrize("view", [identity.create, identity.remove])
def test_it_wants_the_scope(agent, key, view):
    with pytest.raises(ClawError) as raised:
        view(request(), caller(key[0], agent))
    assert raised.value.code == "forbidden"
