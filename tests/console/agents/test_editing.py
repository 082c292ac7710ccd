"""`console.agents.editing`: a page stores what the API would store, and refuses what it refuses."""

import pytest

from accounts.models import Secret
from agents.models import Agent
from agents.versions.access import drafted

NEW, PAGE = "/console/acme/agents/new/", "/console/acme/agents/helper/"
MODEL = {
    "provider": "demo",
    "model": "",
    "base_url": "",
    "credential": "",
    "max_tokens": 100,
    "context_tokens": 1000,
    "parameters": "{}",
    "tools": "[]",
}


@pytest.mark.parametrize("template", ["support", "documents", "plain"])
def test_it_works(client, bob, template):
    client.force_login(bob)
    answer = client.post(NEW, {"name": "My Agent", "template": template})
    assert answer.url == "/console/acme/agents/my-agent/"
    assert client.get(answer.url).status_code == 200
    assert bool(Agent.objects.get().instructions) == (template != "plain")


def test_instructions_are_a_draft(client, bob, agent):
    client.force_login(bob)
    fields = {
        "instructions": "Be brief.",
        "greeting": "Hi",
        "prompts": "A?\n\nB?",
    }
    assert client.post(PAGE, fields).status_code == 302
    draft = drafted(agent)
    assert (draft.instructions, draft.prompts) == ("Be brief.", ["A?", "B?"])
    assert Agent.objects.get().instructions == ""


def test_what_was_typed_stays_and_the_field_is_named(client, bob, agent):
    client.force_login(bob)
    answer = client.post(f"{PAGE}model/", MODEL | {"max_tokens": "0", "model": "typed"})
    assert "max_tokens" in answer.context["form"].errors
    assert 'value="typed"' in answer.content.decode()
    agent.refresh_from_db()
    assert agent.max_tokens == 4096


def test_who_may_not_direct_a_credential_is_told_so(client, bob, alice, agent, acme):
    """The rule of the API: where a provider key is sent needs `admin`."""
    secret = Secret.objects.create(organization=acme, name="anthropic", value="sk-1")
    fields = MODEL | {"credential": secret.id}
    client.force_login(bob)
    assert "needs the scope" in client.post(f"{PAGE}model/", fields).content.decode()
    client.force_login(alice)
    assert client.post(f"{PAGE}model/", fields).status_code == 302
    assert drafted(agent).credential == secret


def test_a_credential_of_others_cannot_be_chosen(client, alice, agent, globex):
    secret = Secret.objects.create(organization=globex, name="anthropic", value="sk-1")
    client.force_login(alice)
    answer = client.post(f"{PAGE}model/", MODEL | {"credential": secret.id})
    assert "credential" in answer.context["form"].errors


def test_limits_are_stored(client, bob, agent):
    client.force_login(bob)
    fields = {
        "name": "Renamed",
        "allowed_origins": "https://example.com",
        "visitor_messages_per_minute": 5,
        "visitor_messages_per_day": 50,
        "if_busy": "reject",
        "on_crash": "fail",
        "on_disconnect": "cancel",
    }
    assert client.post(f"{PAGE}limits/", fields).status_code == 302
    agent.refresh_from_db()
    assert (agent.allowed_origins, agent.if_busy) == (["https://example.com"], "reject")
    assert (agent.name, agent.version) == ("Renamed", 1)


def test_a_viewer_sees_it_and_changes_nothing(client, bob, agent, acme):
    bob.membership_set.update(role="viewer")
    client.force_login(bob)
    assert '<fieldset class="stack" disabled>' in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"name": "Mine"}).status_code == 403
