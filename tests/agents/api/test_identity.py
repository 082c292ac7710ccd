"""`agents.api.identity`: an agent's identity secret."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from agents import access
from agents.api import identity
from agents.auth import keys, visitors
from agents.models import ApiKey
from agents.public.visited import VisitedAgent
from engine.errors import ClawError
from tests.agents.api import request
from tests.agents.callers import caller_of


def test_it_works(agent):
    key, _ = keys.create_key(agent.organization, name="m", agents=[agent], scopes=["keys:write"])
    answer = identity.create(request(), caller_of(key, agent))

    made = json.loads(answer.content)
    assert access.identity_secret(agent) == made["identitySecret"]
    assert "identitySecret" not in json.loads(answer.lasting)
    assert identity.remove(request(), caller_of(key, agent)).status_code == 204
    assert access.identity_secret(agent) is None


USERS = ["chat", "conversations:read", "conversations:write"]


@pytest.mark.parametrize("view", [identity.create, identity.remove])
def test_it_takes_the_scope_that_makes_keys(agent, view):
    key, _ = keys.create_key(agent.organization, name="m", agents=[agent], scopes=["chat"])
    with pytest.raises(ClawError) as raised:
        view(request(), caller_of(key, agent))
    assert raised.value.code == "forbidden"
    assert access.identity_secret(agent) is None


@pytest.mark.parametrize(
    ("scopes", "users"),
    [
        (["keys:write"], []),
        (["keys:write", "chat", "usage:read"], ["chat"]),
        (["keys:write", *USERS], USERS),
        (["keys:write", "admin"], USERS),
    ],
)
def test_a_user_may_no_more_than_the_key_that_made_the_secret(agent, scopes, users):
    key, _ = keys.create_key(agent.organization, name="m", agents=[agent], scopes=scopes)
    identity.create(request(), caller_of(key, agent))
    visited_agent = VisitedAgent.of(agent)
    ends = datetime.now(UTC) + timedelta(minutes=1)
    ada = visited_agent.visitor(visitors.user("ada"), ends)
    assert sorted(ada.scopes) == users
    anybody = visited_agent.visitor("visitor:x", ends)
    assert sorted(anybody.scopes) == USERS


@pytest.mark.parametrize(
    "limit",
    [
        {"monthly_budget": 5},
        {"requests_per_minute": 5},
        {"allowed_origins": ["https://a.example"]},
        {"expires_at": datetime(2999, 1, 1, tzinfo=UTC)},
    ],
)
def test_a_limited_key_makes_no_users_without_limits(agent, limit):
    scopes = ["keys:write", *USERS]
    key, _ = keys.create_key(agent.organization, name="m", agents=[agent], scopes=scopes)
    ApiKey.objects.update(**limit)
    with pytest.raises(ClawError) as raised:
        identity.create(request(), caller_of(key, agent))
    assert raised.value.code == "forbidden"
    assert access.identity_secret(agent) is None
