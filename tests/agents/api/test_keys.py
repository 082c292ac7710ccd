"""`agents.api.keys`: no key makes, or gets by rotation, more than it is itself."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from agents.api import keys
from agents.auth import keys as domain
from agents.models import Agent, ApiKey
from engine.errors import ClawError
from tests.agents.api import request
from tests.agents.callers import caller_of

SCOPES = ["chat", "keys:write"]


@pytest.fixture
def giver(agent):
    """A key of acme for one agent that may manage keys."""
    return domain.create_key(agent.organization, name="g", agents=[agent], scopes=SCOPES)[0]


@pytest.fixture
def admin(agent):
    """A key of acme for the same agent that may do anything."""
    scopes = [*SCOPES, "admin"]
    return domain.create_key(agent.organization, name="a", agents=[agent], scopes=scopes)[0]


@pytest.fixture
def second_agent(acme):
    return Agent.objects.create(organization=acme, slug="second", name="Second")


def limit(key, **fields):
    """The key with limits of its own."""
    ApiKey.objects.filter(id=key.id).update(**fields)
    return key


def shown(answer):
    return json.loads(answer.content)


def create(key, agent, **body):
    return shown(keys.create(request(body), caller_of(key, agent)))


def refused(key, agent, **body):
    with pytest.raises(ClawError) as raised:
        create(key, agent, **body)
    assert raised.value.code in ("forbidden", "agent_not_found", "invalid_message")
    return (raised.value.details or {}).get("field")


def test_it_works(giver, agent):
    made = create(giver, agent, name="app", scopes=["chat"])

    key = ApiKey.objects.get(id=made["id"])
    assert made["apiKey"].startswith(made["prefix"])
    assert made["apiKey"].endswith(made["lastFour"])
    assert (key.name, key.scopes, list(key.agents.all())) == ("app", ["chat"], [agent])
    page = shown(keys.index(request(), caller_of(giver, agent)))
    assert [each["id"] for each in page["keys"]] == [key.id, giver.id]
    assert page["keys"][0] == {name: value for name, value in made.items() if name != "apiKey"}


@pytest.mark.parametrize(
    ("limits", "body", "field"),
    [
        ({}, {"scopes": ["chat", "admin"]}, "scopes"),
        ({}, {}, "scopes"),  # the default ones are more than the giver's
        ({}, {"scopes": ["chat"], "everyAgent": True}, "agents"),
        ({"expires_at": timezone.now() + timedelta(days=9)}, {"expiresAt": None}, "expiresAt"),
        (
            {"expires_at": timezone.now() + timedelta(days=9)},
            {"expiresAt": "2999-01-01T00:00:00Z"},
            "expiresAt",
        ),
        ({"monthly_budget": 5}, {"monthlyBudget": 5.01}, "monthlyBudget"),
        ({"monthly_budget": 5}, {"monthlyBudget": None}, "monthlyBudget"),
        ({"requests_per_minute": 5}, {"requestsPerMinute": 6}, "requestsPerMinute"),
        ({"allowed_origins": ["https://a.example"]}, {}, "allowedOrigins"),
    ],
)
def test_nothing_may_be_more_than_the_givers_own(giver, admin, agent, limits, body, field):
    limit(giver, **limits)
    if limits:
        body = {"scopes": ["chat"]} | body
    assert refused(giver, agent, **body) == field
    create(limit(admin, **limits), agent, **body)


def test_limits_that_are_not_named_are_the_givers(giver, agent):
    end = timezone.now() + timedelta(days=9)
    limit(giver, expires_at=end, monthly_budget=5, requests_per_minute=7)
    made = create(giver, agent, scopes=["chat"])

    key = ApiKey.objects.get(id=made["id"])
    assert (key.expires_at, key.monthly_budget, key.requests_per_minute) == (end, 5, 7)
    assert key.lineage == giver.lineage


def test_p24_other_agents_are_named_only_by_who_opens_them(
    giver, admin, agent, second_agent, foreign_agent
):
    scopes = {"scopes": ["chat"]}
    for name in (second_agent.slug, foreign_agent.id, "missing", "\0"):
        refused(giver, agent, agents=[name], **scopes)
    refused(admin, agent, agents=[foreign_agent.slug], **scopes)
    made = create(admin, agent, agents=[second_agent.slug], **scopes)
    assert set(made["agents"]) == {agent.id, second_agent.id}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": "9999-12-31T23:59:59-14:00"}, "expiresAt"),
        ({"expiresAt": "0001-01-01T00:00:00+14:00"}, "expiresAt"),
        ({"name": "x\0"}, "name"),
    ],
)
def test_a_body_that_is_wrong_is_refused(admin, agent, body, field):
    assert refused(admin, agent, **body) == field


def test_a_key_that_may_do_more_is_not_rotated_or_revoked(giver, admin, agent):
    for view in (keys.rotate, keys.revoke):
        with pytest.raises(ClawError) as raised:
            view(request(), caller_of(giver, agent), admin.id)
        assert raised.value.code == "forbidden"
        assert view(request(), caller_of(admin, agent), giver.id).status_code in (200, 201)


def test_p24_a_key_of_another_agent_or_organisation_is_not_found(
    giver, agent, second_agent, foreign_key
):
    second = domain.create_key(agent.organization, name="s", agents=[second_agent])[0]
    for key_id in (second.id, foreign_key[0].id, "key_missing", "\0"):
        with pytest.raises(ClawError) as raised:
            keys.revoke(request(), caller_of(giver, agent), key_id)
        assert raised.value.code == "not_found"


def test_a_key_that_ended_is_not_rotated(giver, agent):
    made = create(giver, agent, scopes=["chat"])
    keys.revoke(request(), caller_of(giver, agent), made["id"])
    with pytest.raises(ClawError) as raised:
        keys.rotate(request(), caller_of(giver, agent), made["id"])
    assert raised.value.details == {"field": "keyId"}


def test_each_needs_the_scope(agent, key):
    for view in (keys.index, keys.create):
        with pytest.raises(ClawError) as raised:
            view(request(), caller_of(key[0], agent))
        assert raised.value.code == "forbidden"
    with pytest.raises(ClawError):
        keys.revoke(request(), caller_of(key[0], agent), key[0].id)


def test_a_list_costs_the_same_however_long_it_is(giver, admin, agent, django_assert_num_queries):
    for count in (1, 4):
        for _ in range(count):
            create(admin, agent, scopes=["chat"])
        with django_assert_num_queries(2):
            keys.index(request(), caller_of(giver, agent))
