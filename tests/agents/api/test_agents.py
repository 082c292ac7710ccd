"""`agents.api.agents`: who may do what to which agent."""

import json

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Secret
from agents import keys
from agents.access import opened_by
from agents.api import agents
from agents.models import Agent
from engine.errors import ClawError
from tests.agents.api import caller, request

SCOPES = ["agents:read", "agents:write"]


@pytest.fixture
def manager(agent):
    """A key of acme that manages its one agent."""
    return keys.create_key(agent.organization, name="m", agents=[agent], scopes=SCOPES)[0]


@pytest.fixture
def admin(agent):
    """A key of acme that manages everything."""
    return keys.create_key(agent.organization, name="a", scopes=[*SCOPES, "admin"])[0]


def shown(answer):
    return json.loads(answer.content)


def code(raised):
    return raised.value.code


def test_it_works(manager, acme):
    made = shown(agents.create(request({"name": "New One", "maxTokens": 99}), caller(manager)))

    agent = Agent.objects.get(id=made["id"])
    assert (agent.organization, agent.slug, agent.max_tokens) == (acme, "new-one", 99)
    assert agent in opened_by(caller(manager))
    assert shown(agents.show(request(), caller(manager, agent))) == made


def test_a_slug_that_is_taken_or_reserved_gets_an_ending(manager, foreign_agent):
    def slug(name):
        return shown(agents.create(request({"name": name}), caller(manager)))["slug"]

    assert slug("Über uns!") == "uber-uns"
    assert slug("日本語") == "agent"
    for name in ("Spy", "www", "日本語"):  # Spy is another organisation's
        assert slug(name).split("-")[0] in ("spy", "www", "agent")
    assert len(slug("x" * 140)) <= 63


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "x\0"}, "name"),
        ({"name": "x", "parameters": {"a": {"b": ["\0"]}}}, "parameters"),
        ({"name": "x", "credentialId": "sec_x"}, "credentialId"),
    ],
)
def test_a_body_that_cannot_be_stored_is_refused(admin, body, field):
    with pytest.raises(ClawError) as raised:
        agents.create(request(body), caller(admin))
    assert raised.value.details == {"field": field}


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"slug": "A b"},
        {"slug": "spy"},
        {"provider": "magic"},
        {"ifBusy": "perhaps"},
        {"maxTokens": 0},
        {"contextTokens": 10**30},
        {"parameters": {"model": "x"}},
        {"baseUrl": "ftp://x"},
    ],
)
def test_a_field_that_is_wrong_is_refused_and_nothing_changes(agent, foreign_agent, admin, fields):
    with pytest.raises(ValidationError) as raised:
        agents.change(request(fields), caller(admin, agent))
    assert len(raised.value.message_dict) == 1
    with pytest.raises(ValidationError):
        agents.create(request({"name": "x"} | fields), caller(admin))
    assert Agent.objects.filter(organization=agent.organization).count() == 1


def test_only_who_knows_the_present_version_changes_it(agent, manager):
    me = caller(manager, agent)
    first = agents.show(request(), me)["ETag"]
    second = agents.change(request({"name": "B"}, if_match=first), me)["ETag"]
    assert second != first
    for refused in (agents.change, agents.remove):
        with pytest.raises(ClawError) as raised:
            refused(request({"name": "C"}, if_match=first), me)
        assert code(raised) == "precondition_failed"
    assert agents.show(request(if_none_match=second), me).status_code == 304
    assert agents.show(request(if_none_match=first), me).status_code == 200
    agents.remove(request(if_match=second), me)
    assert not Agent.objects.filter(id=agent.id).exists()


def test_p24_a_credential_is_the_organisations_own_and_goes_where_admin_says(
    agent, manager, admin, acme, globex
):
    mine = Secret.objects.create(organization=acme, name="s", value="x")
    foreign = Secret.objects.create(organization=globex, name="s", value="x")
    for secret in (foreign.id, "sec_missing"):
        with pytest.raises(ClawError) as raised:
            agents.change(request({"credentialId": secret}), caller(admin, agent))
        assert raised.value.message == "This organisation has no such secret."
    with pytest.raises(ClawError) as raised:
        agents.change(request({"credentialId": mine.id}), caller(manager, agent))
    assert code(raised) == "forbidden"

    agents.change(request({"credentialId": mine.id}), caller(admin, agent))
    with pytest.raises(ClawError) as raised:
        agents.change(request({"baseUrl": "https://elsewhere.example"}), caller(manager, agent))
    assert code(raised) == "forbidden"
    agents.change(request({"name": "harmless"}), caller(manager, agent))
    agents.change(request({"credentialId": None}), caller(manager, agent))


def test_the_list_has_what_the_key_opens(agent, foreign_agent, manager, admin, acme):
    other = Agent.objects.create(organization=acme, slug="other", name="Other")

    def listed(key, query=""):
        page = shown(agents.index(request(query=query), caller(key)))
        return [each["id"] for each in page["agents"]], page["nextCursor"]

    assert listed(manager) == ([agent.id], None)
    assert listed(admin, "limit=1") == ([other.id], other.id)
    assert listed(admin, f"before={other.id}") == ([agent.id], None)


@pytest.mark.parametrize("view", [agents.index, agents.create, agents.show, agents.change])
def test_each_needs_its_scope(agent, key, view):
    with pytest.raises(ClawError) as raised:
        view(request({"name": "x"}), caller(key[0], agent))
    assert code(raised) == "forbidden"


def test_an_agent_that_is_gone_is_not_found(agent, manager):
    me = caller(manager, agent)
    agent.delete()
    with pytest.raises(ClawError) as raised:
        agents.show(request(), me)
    assert code(raised) == "agent_not_found"


def test_what_concerns_visitors_is_set_like_all_else(manager, agent):
    fields = {
        "allowedOrigins": ["https://example.com", "https://*.example.com"],
        "publicPage": True,
        "greeting": "Hello",
        "prompts": ["What?"],
        "visitorMessagesPerMinute": 3,
        "visitorMessagesPerDay": 4,
    }
    assert shown(agents.change(request(fields), caller(manager, agent))).items() >= fields.items()


@pytest.mark.parametrize(
    "fields",
    [
        *({"allowedOrigins": ["https://*"]}, {"allowedOrigins": ["HTTPS://A.io"]}),
        *({"prompts": [""]}, {"prompts": ["x"] * 11}, {"prompts": ["x" * 201]}),
        *({"greeting": "x" * 2001}, {"visitorMessagesPerMinute": 0}, {"visitorMessagesPerDay": 0}),
    ],
)
def test_what_visitors_could_not_use_is_refused(manager, agent, fields):
    with pytest.raises(ValidationError):
        agents.change(request(fields), caller(manager, agent))
