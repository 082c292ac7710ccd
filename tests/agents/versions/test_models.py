"""`agents.versions.models`: whoever stores an agent, its configuration is a version."""

import msgspec
import pytest

from agents.access import ensure_agent
from agents.models import Agent, AgentVersion
from agents.versions import models
from agents.versions.models import add_version, at_version, configuration, configured
from auditing.actors import Actor, acting
from wire.objects.configuration import CONFIGURED
from wire.objects.management import AgentFields

APART = {
    *("slug", "name", "show_thinking", "show_tools", "show_usage", "if_busy", "on_disconnect"),
    *("on_crash", "allowed_origins", "public_page", "visitor_messages_per_minute"),
    *("visitor_messages_per_day", "visitor_version"),
}
"""Fields of an agent that a rollback leaves alone: its names, and who may do and see what."""


def numbers(agent):
    rows = AgentVersion.objects.filter(agent=agent).order_by("number")
    return list(rows.values_list("number", flat=True))


def test_it_works(agent):
    assert (agent.version, numbers(agent)) == (1, [1])
    with acting(Actor("member", "mem_1", "ada@example.com")):
        agent.instructions = "Be brief."
        agent.save()
    row = AgentVersion.objects.get(agent=agent, number=2)
    assert Agent.objects.get(pk=agent.pk).version == 2
    assert (row.author_kind, row.author_name) == ("member", "ada@example.com")
    assert row.configuration == configuration(agent)
    agent.save()
    assert numbers(agent) == [1, 2]


def test_every_field_is_part_of_a_version_or_named_here():
    fields = {field.name for field in msgspec.structs.fields(AgentFields)}
    assert fields == {*CONFIGURED, *APART}


def test_commands_make_versions_too(agent):
    ensure_agent(agent.organization, "helper", instructions="By hand.")
    assert numbers(agent) == [1, 2]


def test_a_copy_is_not_the_agent(agent):
    add_version(agent, configuration(agent) | {"instructions": "Later."})
    made = at_version(agent, AgentVersion.objects.get(agent=agent, number=2))
    assert (made.instructions, made.version, made.pk) == ("Later.", 2, agent.pk)
    assert (agent.instructions, agent.version) == ("", 1)
    assert configured(agent, {"foo": 1}).instructions == ""


def test_the_oldest_go_that_nobody_has(agent, key, monkeypatch):
    monkeypatch.setattr(models, "MAX_VERSIONS", 3)
    key[0].pinned = AgentVersion.objects.get(agent=agent, number=1)
    key[0].save()
    for n in range(5):
        agent.instructions = f"{n}"
        agent.save()
    assert numbers(agent) == [1, 4, 5, 6]


@pytest.mark.parametrize("number", [0, 7])
def test_visitors_cannot_have_a_version_that_is_none(agent, number):
    agent.visitor_version = number
    with pytest.raises(models.ValidationError):
        agent.full_clean()
