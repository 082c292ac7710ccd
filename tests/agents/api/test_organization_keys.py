"""`agents.api.organization_keys`: all keys of an organisation, for the scope `admin`."""

import json

import pytest

from agents.api import organization_keys as keys
from agents.auth import keys as domain
from agents.models import ApiKey
from engine.errors import ClawError
from tests.agents.api import request
from tests.agents.callers import caller_of


@pytest.fixture
def admin(agent):
    """A key of acme that may do anything."""
    return domain.create_key(agent.organization, name="a", scopes=["keys:write", "admin"])[0]


@pytest.fixture
def manager(agent):
    """A key of acme that may make keys of its agent, and nothing about others."""
    scopes = ["chat", "keys:write"]
    return domain.create_key(agent.organization, name="m", agents=[agent], scopes=scopes)[0]


def shown(answer):
    return json.loads(answer.content)


def test_it_works(admin, agent, foreign_key):
    made = shown(keys.create(request({"agents": ["helper"]}), caller_of(admin, agent)))
    assert (made["agents"], made["apiKey"][:5]) == ([agent.id], "claw_")
    listed = shown(keys.index(request({}), caller_of(admin, agent)))["keys"]
    assert {each["id"] for each in listed} == {made["id"], admin.id}


def test_a_key_is_rotated_and_revoked(admin, agent, key):
    caller = caller_of(admin, agent)
    made = shown(keys.rotate(request({"overlapSeconds": 0}), caller, key[0].id))
    assert made["rotatedFrom"] == key[0].id
    assert shown(keys.revoke(request({}), caller, made["id"]))["revokedAt"]


def test_it_says_which_agents_it_opens(admin, agent):
    with pytest.raises(ClawError, match="Name the agents"):
        keys.create(request({}), caller_of(admin, agent))


def test_a_key_of_others_does_not_exist(admin, agent, foreign_key):
    with pytest.raises(ClawError, match="no such key"):
        keys.revoke(request({}), caller_of(admin, agent), foreign_key[0].id)


def test_who_has_not_all_rights_is_refused(manager, agent, key):
    caller, body = caller_of(manager, agent), {"agents": ["helper"]}
    for call in (
        lambda: keys.index(request({}), caller),
        lambda: keys.create(request(body), caller),
        lambda: keys.rotate(request({}), caller, key[0].id),
        lambda: keys.revoke(request({}), caller, key[0].id),
    ):
        with pytest.raises(ClawError) as raised:
            call()
        assert raised.value.code == "forbidden"
    assert ApiKey.objects.count() == 2
