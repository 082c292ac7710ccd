"""`agents.models`: agents and the rows of their keys."""

import pytest
from django.core.exceptions import ValidationError
from django.db.models import RestrictedError

from accounts.models import Secret
from agents.models import Agent


def test_it_works(agent):
    agent.full_clean()

    assert agent.id.startswith("agt_")
    assert (agent.if_busy, agent.on_disconnect) == ("queue", "continue")
    assert (agent.show_thinking, agent.show_tools) == (False, False)


def test_a_slug_is_unique_among_all_organisations(agent, globex):
    with pytest.raises(ValidationError, match="Slug"):
        Agent(organization=globex, slug=agent.slug, name="x").full_clean()


@pytest.mark.parametrize(
    "fields",
    [
        *({"provider": "nobody"}, {"if_busy": "never"}, {"on_disconnect": "maybe"}),
        *({"max_tokens": 0}, {"context_tokens": 0}, {"parameters": ["x"]}),
        *({"base_url": "ftp://a.example"}, {"base_url": "a.example"}),
    ],
)
def test_only_what_works_can_be_chosen(agent, fields):
    for field, value in fields.items():
        setattr(agent, field, value)
    with pytest.raises(ValidationError) as raised:
        agent.full_clean()
    assert raised.value.message_dict.keys() == fields.keys()


@pytest.mark.parametrize("url", ["http://ollama:11434/v1", "https://[::1]/v1", "http://10.0.0.5"])
def test_a_model_server_may_be_anywhere(agent, url):
    agent.base_url = url
    agent.full_clean()


def test_only_anthropic_has_a_model_of_its_own(agent):
    agent.provider = "openai"
    with pytest.raises(ValidationError, match="Name a model"):
        agent.full_clean()
    agent.model = "gpt-5.5"
    agent.full_clean()


@pytest.mark.parametrize("nothing", [[], "", {}])
def test_no_parameters_are_an_empty_object(agent, nothing):
    agent.parameters = nothing
    agent.full_clean()
    assert agent.parameters == {}


@pytest.mark.parametrize("nothing", [[], "", {}, None])
def test_no_tools_are_an_empty_list(agent, nothing):
    agent.tools = nothing
    agent.full_clean()
    assert agent.tools == []


def test_p24_a_credential_is_the_organisation_s_own(agent, globex):
    agent.credential = Secret.objects.create(organization=globex, name="theirs", value="sk")

    with pytest.raises(ValidationError):
        agent.full_clean()


def test_a_credential_in_use_stays_but_goes_with_its_organisation(agent, acme):
    agent.credential = Secret.objects.create(organization=acme, name="ours", value="sk")
    agent.save()

    with pytest.raises(RestrictedError):
        agent.credential.delete()
    acme.delete()
    assert not Secret.objects.exists()


def test_a_key_shows_only_its_visible_parts(key):
    row, token = key

    assert row.prefix in str(row)
    assert token not in f"{row} {row!r}"
