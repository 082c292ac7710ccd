"""`agents.api.versions` and `agents.api.drafts`: the rules, without a server."""

import json

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Secret
from agents.access import agent_of
from agents.api import agents, drafts, versions
from agents.auth import keys
from agents.models import Agent, AgentVersion
from auditing.models import AuditEvent
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


@pytest.fixture
def admin(agent):
    """A key of acme that may direct secrets too."""
    return caller_of(keys.create_key(agent.organization, name="a", scopes=["admin"])[0], agent)


def shown(answer):
    return json.loads(answer.content)


def edit(caller, **fields):
    return drafts.change(request(fields), caller)


def publish(caller, body=None, **headers):
    return shown(versions.publish(request(body, **headers), caller))


def code(function, *arguments):
    with pytest.raises(ClawError) as raised:
        function(*arguments)
    return raised.value.code


def test_it_works(caller, agent):
    draft = shown(edit(caller, instructions="Be brief.", maxTokens=99))
    assert (draft["version"], draft["changed"]) == (1, ["instructions", "maxTokens"])
    assert agent_of(caller).instructions == ""  # visitors still have what is published

    made = publish(caller, {"note": "Shorter."})

    assert (made["version"], made["published"], made["note"]) == (2, True, "Shorter.")
    assert made["configuration"]["instructions"] == "Be brief."
    assert made["author"]["kind"] == "operator"  # no door has set an actor
    assert (agent_of(caller).instructions, agent_of(caller).version) == ("Be brief.", 2)
    assert shown(drafts.show(request(), caller))["changed"] == []
    listed = shown(versions.index(request(), caller))["versions"]
    assert [(row["version"], row["published"]) for row in listed] == [(2, True), (1, False)]
    assert all("configuration" not in row for row in listed)


def test_a_rollback_publishes_an_earlier_version_again_and_is_told(caller, agent):
    edit(caller, instructions="Worse.")
    publish(caller)
    edit(caller, greeting="Half done")

    back = shown(versions.rollback(request({"version": 1}), caller))

    assert (back["version"], back["published"]) == (1, True)
    assert (agent_of(caller).instructions, agent_of(caller).version) == ("", 1)
    assert shown(drafts.show(request(), caller))["changed"] == ["greeting"]
    told = AuditEvent.objects.filter(action="agent.rolled_back").get()
    assert (told.before["version"], told.after["version"]) == (2, 1)
    assert AuditEvent.objects.filter(action="agent.published").count() == 1


def test_a_rollback_needs_a_version_that_was_published(caller):
    made = shown(versions.create(request({"instructions": "Later.", "note": "n"}), caller))
    assert (made["version"], made["published"], made["publishedAt"]) == (2, False, None)
    assert code(versions.rollback, request({"version": 2}), caller) == "invalid_message"
    assert code(versions.rollback, request({"version": 9}), caller) == "not_found"

    assert publish(caller, {"version": 2})["published"]
    assert agent_of(caller).instructions == "Later."


def test_publishing_without_changes_publishes_the_newest_and_makes_none(caller, agent):
    assert publish(caller)["version"] == 1
    shown(versions.create(request({"instructions": "Later."}), caller))
    assert publish(caller)["version"] == 2
    assert publish(caller)["version"] == 2
    assert AgentVersion.objects.filter(agent=agent).count() == 2


def test_publishing_what_was_kept_as_a_version_makes_no_second_one(caller, agent):
    edit(caller, instructions="Kept.")
    versions.create(request(), caller)
    assert publish(caller)["version"] == 2
    assert AgentVersion.objects.filter(agent=agent).count() == 2


def test_a_change_of_the_agent_is_a_version_at_once_and_keeps_the_draft(caller, agent):
    edit(caller, greeting="Hello!")
    agents.change(request({"instructions": "At once."}), caller)
    agents.change(request({"name": "Renamed"}), caller)  # not part of a configuration

    assert agent_of(caller).version == 2
    draft = shown(drafts.show(request(), caller))
    assert draft["changed"] == ["greeting"]
    assert draft["configuration"]["instructions"] == "At once."


def test_of_two_who_edit_the_slower_is_told(caller):
    known = drafts.show(request(), caller)["ETag"]
    drafts.change(request({"greeting": "A"}, **{"if-match": known}), caller)

    late = request({"greeting": "B"}, **{"if-match": known})
    assert code(drafts.change, late, caller) == "precondition_failed"
    assert code(versions.publish, late, caller) == "precondition_failed"
    assert code(drafts.discard, late, caller) == "precondition_failed"
    assert shown(drafts.show(request(), caller))["configuration"]["greeting"] == "A"


def test_a_draft_that_is_discarded_or_taken_back_is_none(caller):
    edit(caller, greeting="A")
    assert drafts.discard(request(), caller).status_code == 204
    assert shown(drafts.show(request(), caller))["updatedAt"] is None
    edit(caller, greeting="A")
    assert shown(edit(caller, greeting=""))["updatedAt"] is None


def test_what_differs_is_shown_by_field(caller):
    edit(caller, instructions="B", greeting="C")
    [first, second] = shown(versions.difference(request(), caller, "draft"))["changes"]
    assert first == {"field": "instructions", "before": "", "after": "B"}
    assert second["field"] == "greeting"
    publish(caller)
    back = shown(versions.difference(request(query="against=2"), caller, "1"))
    assert (back["before"], back["after"], len(back["changes"])) == (2, 1, 2)
    assert code(versions.difference, request(), caller, "9") == "not_found"
    assert code(versions.show, request(), caller, "x") == "not_found"


def test_a_draft_may_hold_only_what_the_agent_may(caller, agent):
    with pytest.raises(ValidationError):
        edit(caller, tools=[{"builtin": "nothing"}])
    assert code(drafts.change, request({"greeting": "\0"}), caller) == "invalid_message"
    assert code(drafts.change, request({"publicPage": True}), caller) == "invalid_message"
    assert shown(drafts.show(request(), caller))["changed"] == []


def test_directing_a_secret_needs_an_admin_at_every_step(caller, admin, agent):
    fields = {"baseUrl": "https://models.example.com/v1"}
    for function in (drafts.change, versions.create):
        assert code(function, request(fields), caller) == "forbidden"
    drafts.change(request(fields), admin)
    drafts.change(request({"instructions": "Mine."}), caller)  # beside what an admin has said
    assert code(versions.publish, request(), caller) == "forbidden"
    assert agent_of(admin).instructions == ""

    assert publish(admin)["version"] == 2
    assert code(versions.rollback, request({"version": 1}), caller) == "forbidden"
    assert shown(versions.rollback(request({"version": 1}), admin))["published"]


def test_a_version_whose_secret_is_gone_is_not_published(admin, agent):
    secret = Secret.objects.create(organization=agent.organization, name="S", value="v")
    agents.change(request({"credentialId": secret.id}), admin)
    agents.change(request({"credentialId": None}), admin)
    secret.delete()
    assert code(versions.rollback, request({"version": 2}), admin) == "invalid_message"
    assert Agent.objects.get(pk=agent.pk).version == 3


@pytest.mark.parametrize("function", [versions.create, versions.publish, versions.rollback])
def test_reading_is_not_writing(agent, function):
    reader = caller_of(
        keys.create_key(agent.organization, name="r", scopes=["agents:read"])[0], agent
    )
    assert code(function, request({"version": 1}), reader) == "forbidden"
    assert code(drafts.change, request({}), reader) == "forbidden"
    assert code(drafts.discard, request(), reader) == "forbidden"
    assert shown(versions.show(request(), reader, "1"))["version"] == 1


def test_visitors_stay_with_the_version_that_the_agent_says(caller, agent):
    edit(caller, greeting="New")
    publish(caller)
    changed = shown(agents.change(request({"visitorVersion": 1}), caller))
    assert (changed["version"], changed["visitorVersion"]) == (2, 1)
    with pytest.raises(ValidationError):
        agents.change(request({"visitorVersion": 7}), caller)
