"""`agents.api.agents`: who may do what to which agent."""

import json

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Secret
from agents.access import agent_of_visitors, opened_by
from agents.api import agents
from agents.auth import keys
from agents.models import Agent
from engine.errors import ClawError
from tests.agents.api import request
from tests.agents.callers import caller_of, holder

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
    made = shown(agents.create(request({"name": "New One", "maxTokens": 99}), caller_of(manager)))

    agent = Agent.objects.get(id=made["id"])
    assert (agent.organization, agent.slug, agent.max_tokens) == (acme, "new-one", 99)
    assert agent in opened_by(holder(manager))
    assert shown(agents.show(request(), caller_of(manager, agent))) == made


def test_a_slug_that_is_taken_or_reserved_gets_an_ending(manager, foreign_agent):
    def slug(name):
        return shown(agents.create(request({"name": name}), caller_of(manager)))["slug"]

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
        ({"name": "x", "contextTokens": 10**30}, "contextTokens"),
        ({"name": "x", "credentialId": "sec_x"}, "credentialId"),
    ],
)
def test_a_body_that_cannot_be_stored_is_refused(admin, body, field):
    with pytest.raises(ClawError) as raised:
        agents.create(request(body), caller_of(admin))
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
        {"contextTokens": -1},
        {"parameters": {"model": "x"}},
        {"tools": [{"builtin": "nothing"}]},
        {"tools": [{"builtin": "current_time", "other": 1}]},
        {"baseUrl": "ftp://x"},
    ],
)
def test_a_field_that_is_wrong_is_refused_and_nothing_changes(agent, foreign_agent, admin, fields):
    with pytest.raises(ValidationError) as raised:
        agents.change(request(fields), caller_of(admin, agent))
    assert len(raised.value.message_dict) == 1
    with pytest.raises(ValidationError):
        agents.create(request({"name": "x"} | fields), caller_of(admin))
    assert Agent.objects.filter(organization=agent.organization).count() == 1


def test_tools_are_named_and_shown(agent, manager):
    tools = [{"builtin": "current_time"}]
    made = shown(agents.create(request({"name": "x", "tools": tools}), caller_of(manager)))
    assert made["tools"] == tools == Agent.objects.get(id=made["id"]).tools
    me = caller_of(manager, agent)
    assert shown(agents.show(request(), me))["tools"] == []
    assert shown(agents.change(request({"tools": tools}), me))["tools"] == tools
    assert shown(agents.change(request({"name": "y"}), me))["tools"] == tools
    assert shown(agents.change(request({"tools": []}), me))["tools"] == []


def test_only_who_knows_the_present_version_changes_it(agent, manager):
    me = caller_of(manager, agent)
    first = agents.show(request(), me)["ETag"]
    second = agents.change(request({"name": "B"}, if_match=first), me)["ETag"]
    assert second != first
    for refused in (agents.change, agents.hide):
        with pytest.raises(ClawError) as raised:
            refused(request({"name": "C"}, if_match=first), me)
        assert code(raised) == "precondition_failed"
    assert agents.show(request(if_none_match=second), me).status_code == 304
    assert agents.show(request(if_none_match=first), me).status_code == 200
    agents.hide(request(if_match=second), me)
    assert not Agent.objects.filter(id=agent.id).exists()


def test_what_is_being_deleted_is_found_by_nobody_and_its_slug_is_free(agent, manager, acme):
    secret = Secret.objects.create(organization=acme, name="s", value="x")
    Agent.objects.filter(id=agent.id).update(credential=secret)
    me = caller_of(manager, agent)
    agents.hide(request(), me)

    for refused in (agents.show, agents.change, agents.hide):
        with pytest.raises(ClawError) as raised:
            refused(request({"name": "C"}), me)
        assert code(raised) == "agent_not_found"
    assert not opened_by(me.principal).filter(id=agent.id).exists()
    assert agent_of_visitors([agent.id]) is None
    secret.delete()
    assert Agent.objects.create(organization=acme, slug="helper", name="Next").id != agent.id


def test_p24_a_credential_is_the_organisations_own_and_goes_where_admin_says(
    agent, manager, admin, acme, globex
):
    mine = Secret.objects.create(organization=acme, name="s", value="x")
    foreign = Secret.objects.create(organization=globex, name="s", value="x")
    for secret in (foreign.id, "sec_missing"):
        with pytest.raises(ClawError) as raised:
            agents.change(request({"credentialId": secret}), caller_of(admin, agent))
        assert raised.value.message == "This organisation has no such secret."
    with pytest.raises(ClawError) as raised:
        agents.change(request({"credentialId": mine.id}), caller_of(manager, agent))
    assert code(raised) == "forbidden"

    agents.change(request({"credentialId": mine.id}), caller_of(admin, agent))
    with pytest.raises(ClawError) as raised:
        agents.change(request({"baseUrl": "https://elsewhere.example"}), caller_of(manager, agent))
    assert code(raised) == "forbidden"
    agents.change(request({"name": "harmless"}), caller_of(manager, agent))
    agents.change(request({"credentialId": mine.id}), caller_of(manager, agent))  # as it is


@pytest.fixture
def directed(agent, acme):
    """Acme's agent at a model server of its own, with a key of acme's for that."""
    agent.credential = Secret.objects.create(organization=acme, name="s", value="x")
    agent.provider, agent.model = "openai", "m"
    agent.base_url = "https://models.example/v1"
    agent.save()
    return agent


ELSEWHERE = [
    {"provider": "anthropic"},
    {"provider": "demo"},
    {"baseUrl": "https://elsewhere.example"},
    {"baseUrl": ""},
    {"credentialId": None},
    {"name": "x", "provider": "auto", "model": "m"},
]


@pytest.mark.parametrize("fields", ELSEWHERE)
def test_where_a_provider_key_is_sent_is_for_admin_to_say(directed, manager, admin, fields):
    with pytest.raises(ClawError) as raised:
        agents.change(request(fields), caller_of(manager, directed))
    assert code(raised) == "forbidden" and raised.value.details["field"] in fields
    stored = Agent.objects.get(id=directed.id)
    assert (stored.provider, stored.base_url) == ("openai", "https://models.example/v1")

    agents.change(request(fields), caller_of(admin, directed))


@pytest.mark.parametrize("fields", [ELSEWHERE[0], ELSEWHERE[2], ELSEWHERE[-1]])
def test_nor_may_an_address_be_kept_ready_for_a_later_key(agent, manager, fields):
    address = {"baseUrl": "https://elsewhere.example"}
    for body in (
        {"name": "x"} | address,
        {"name": "x", "provider": "openai", "model": "m"} | address,
    ):
        with pytest.raises(ClawError) as raised:
            agents.create(request(body), caller_of(manager))
        assert code(raised) == "forbidden"
    Agent.objects.update(base_url="https://models.example/v1")  # by who may, and no key yet
    with pytest.raises(ClawError) as raised:
        agents.change(request(fields), caller_of(manager, Agent.objects.get(id=agent.id)))
    assert code(raised) == "forbidden"


def test_what_is_sent_back_unchanged_changes_nothing(directed, manager):
    """A client that reads an agent, changes its name and writes all of it back."""
    read = shown(agents.show(request(), caller_of(manager, directed)))
    whole = {name: read[name] for name in agents.JSON_NAMES.values()} | {"name": "Renamed"}
    assert shown(agents.change(request(whole), caller_of(manager, directed)))["name"] == "Renamed"


def test_the_operator_s_own_servers_are_a_choice_like_any_other(agent, manager):
    me = caller_of(manager, agent)
    for provider in ("anthropic", "demo", "auto"):
        assert shown(agents.change(request({"provider": provider}), me))["provider"] == provider


def test_below_an_agent_s_own_path_it_is_the_only_one_in_the_list(agent, admin, acme):
    other = Agent.objects.create(organization=acme, slug="other", name="Other")
    page = shown(agents.index(request(), caller_of(admin, other)))
    assert [each["id"] for each in page["agents"]] == [other.id]


def test_the_list_has_what_the_key_opens(agent, foreign_agent, manager, admin, acme):
    other = Agent.objects.create(organization=acme, slug="other", name="Other")

    def listed(key, query=""):
        page = shown(agents.index(request(query=query), caller_of(key)))
        return [each["id"] for each in page["agents"]], page["nextCursor"]

    assert listed(manager) == ([agent.id], None)
    assert listed(admin, "limit=1") == ([other.id], other.id)
    assert listed(admin, f"before={other.id}") == ([agent.id], None)


@pytest.mark.parametrize("view", [agents.index, agents.create, agents.show, agents.change])
def test_each_needs_its_scope(agent, key, view):
    with pytest.raises(ClawError) as raised:
        view(request({"name": "x"}), caller_of(key[0], agent))
    assert code(raised) == "forbidden"


def test_an_agent_that_is_gone_is_not_found(agent, manager):
    me = caller_of(manager, agent)
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
        "widget": {"position": "left", "bubble": {"text": "May I help?", "delaySeconds": 5}},
        "visitorMessagesPerMinute": 3,
        "visitorMessagesPerDay": 4,
    }
    assert (
        shown(agents.change(request(fields), caller_of(manager, agent))).items() >= fields.items()
    )


@pytest.mark.parametrize(
    "fields",
    [
        *({"allowedOrigins": ["https://*"]}, {"allowedOrigins": ["HTTPS://A.io"]}),
        *({"prompts": [""]}, {"prompts": ["x"] * 11}, {"prompts": ["x" * 201]}),
        {"widget": {"hours": {"open": [], "timeZone": "Mars/Olympus"}}},
        *({"greeting": "x" * 2001}, {"visitorMessagesPerMinute": 0}, {"visitorMessagesPerDay": 0}),
    ],
)
def test_what_visitors_could_not_use_is_refused(manager, agent, fields):
    with pytest.raises(ValidationError):
        agents.change(request(fields), caller_of(manager, agent))


@pytest.mark.parametrize(
    ("widget", "field", "words"),
    [
        ({"accent": "url(https://evil.example)"}, "widget.accent", "another form"),
        ({"width": 12}, "widget.width", "at least 280"),
        ({"position": "middle"}, "widget.position", "This is one of: left, right"),
        ({"colour": "#0a7"}, "widget.colour", "no such field"),
        ({"followUps": ["More?"] * 6}, "widget.followUps", "at most 5 entries"),
        ({"bubble": {"text": "x" * 201}}, "widget.bubble.text", "at most 200 characters"),
        ({"avatar": "javascript:alert(1)"}, "widget.avatar", "another form"),
    ],
)
def test_a_setting_of_the_widget_that_does_not_fit_is_named(manager, agent, widget, field, words):
    with pytest.raises(ClawError, match=words) as raised:
        agents.change(request({"widget": widget}), caller_of(manager, agent))
    assert raised.value.details == {"field": field}
