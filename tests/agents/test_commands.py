"""`manage.py create_agent`, `create_api_key` and `revoke_api_key`."""

from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from agents.models import Agent, ApiKey, McpServer
from tests.commands import result, run

# --- create_agent


def test_create_agent_makes_one_agent(acme, settings):
    settings.PORT = 8000
    options = ("--org", acme.name, "--slug", "helper", "--provider", "demo", "--system", "Be kind.")
    made = result("create_agent", *options)

    agent = Agent.objects.get()
    assert made == {
        "agentId": agent.id,
        "slug": "helper",
        "wsUrl": "ws://127.0.0.1:8000/a/helper/api/ws",
        "apiUrl": "http://127.0.0.1:8000/a/helper/api",
    }
    assert (agent.name, agent.provider, agent.instructions) == ("helper", "demo", "Be kind.")
    assert result("create_agent", *options) == made


def test_create_agent_for_a_server_of_its_own(acme):
    address = ("--base-url", "http://127.0.0.1:11434/v1", "--model", "qwen3")
    run("create_agent", "--org", acme.name, "--slug", "helper", "--provider", "openai", *address)

    agent = Agent.objects.get()
    assert (agent.provider, agent.model) == ("openai", "qwen3")
    assert (agent.base_url, agent.credential) == ("http://127.0.0.1:11434/v1", None)


def test_create_agent_says_which_pages_may_have_its_chat(acme):
    pages = "https://example.com,http://localhost:3000"
    run("create_agent", "--org", acme.name, "--slug", "helper", "--origins", pages)

    assert Agent.objects.get().allowed_origins == pages.split(",")
    with pytest.raises(CommandError, match="list of origins"):
        run("create_agent", "--org", acme.name, "--slug", "helper", "--origins", "example.com")


def test_create_agent_names_its_tools(acme):
    options = ("--org", acme.name, "--slug", "helper", "--tool")
    run("create_agent", *options, "current_time")

    assert Agent.objects.get().tools == [{"builtin": "current_time"}]
    with pytest.raises(CommandError, match="Unknown tool “nothing”; there are: current_time"):
        run("create_agent", *options, "nothing")


def test_create_agent_again_changes_only_what_is_given(acme):
    run("create_agent", "--org", acme.name, "--slug", "helper", "--system", "Be kind.")
    run("create_agent", "--org", acme.name, "--slug", "helper", "--model", "claude-x")

    agent = Agent.objects.get()
    assert (agent.instructions, agent.model) == ("Be kind.", "claude-x")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--org", "Nobody", "--slug", "a1"), "no organisation"),
        (("--org", "Acme", "--slug", "www"), "reserved"),
        (("--org", "Acme", "--slug", "A b"), "lower-case"),
        (("--org", "Acme", "--slug", "a1", "--provider", "nobody"), "invalid choice"),
        (("--org", "Acme", "--slug", "a1", "--provider", "openai"), "Name a model"),
        (("--org", "Acme", "--slug", "a1", "--base-url", "nonsense"), "base_url"),
        (("--org", "Acme", "--slug", "spy"), "already exists"),
    ],
)
def test_create_agent_says_what_is_wrong(acme, foreign_agent, options, problem):
    with pytest.raises(CommandError, match=problem):
        run("create_agent", *options)
    assert not acme.agents.exists()


# --- create_api_key, revoke_api_key


def test_create_api_key_makes_a_key_for_the_agent(agent):
    made = result("create_api_key", "--agent", agent.slug)

    key = ApiKey.objects.get()
    assert made.keys() == {"keyId", "apiKey"}
    assert made["keyId"] == key.id
    assert list(key.agents.all()) == [agent]
    assert key.scopes == ["chat", "conversations:read", "conversations:write"]
    assert key.expires_at is None


def test_create_api_key_takes_scopes_and_an_expiry(agent):
    run("create_api_key", "--agent", agent.slug, "--scopes", "chat, usage:read", "--expires", "30d")

    key = ApiKey.objects.get()
    assert key.scopes == ["chat", "usage:read"]
    assert timedelta(days=29) < key.expires_at - timezone.now() <= timedelta(days=30)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--agent", "nobody"), "no agent"),
        (("--agent", "helper", "--scopes", "root"), "Unknown scope"),
        (("--agent", "helper", "--expires", "soon"), "no duration"),
        (("--agent", "helper", "--expires", "0d"), "no duration"),
        (("--agent", "helper", "--expires", "999999w"), "no duration"),
    ],
)
def test_create_api_key_says_what_is_wrong(agent, options, problem):
    with pytest.raises(CommandError, match=problem):
        run("create_api_key", *options)
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("field", ["id", "prefix"])
def test_revoke_api_key_takes_an_id_or_a_prefix_and_may_be_repeated(key, field):
    row, _ = key
    for _ in range(2):
        run("revoke_api_key", getattr(row, field))

    row.refresh_from_db()
    assert row.revoked_at


def test_revoke_api_key_wants_a_key_that_exists(key):
    with pytest.raises(CommandError, match="no key"):
        run("revoke_api_key", "claw_live_")


# --- create_mcp_server


def test_a_command_makes_an_mcp_server(acme):
    place = ("--org", "Acme", "--name", "crm", "--url", "https://crm.example.com/mcp")
    made = result("create_mcp_server", *place)
    server = McpServer.objects.get(id=made["mcpServerId"])
    assert (server.organization, server.name, server.url) == (acme, "crm", place[-1])
    assert result("create_mcp_server", *place) == made
    with pytest.raises(CommandError, match="no program"):
        run("create_mcp_server", "--org", "Acme", "--name", "sh", "--stdio", "sh")


def test_a_key_of_an_organisation_opens_every_agent(acme):
    made = result("create_api_key", "--org", "Acme", "--scopes", "agents:write")
    key = ApiKey.objects.get(id=made["keyId"])
    assert (key.organization, key.every_agent, key.scopes) == (acme, True, ["agents:write"])
    for wrong in ((), ("--org", "Acme", "--agent", "helper"), ("--org", "Nobody")):
        with pytest.raises(CommandError):
            run("create_api_key", *wrong)


# --- lists


def test_agents_are_listed(agent, foreign_agent):
    assert [each["slug"] for each in result("list_agents")["agents"]] == ["helper", "spy"]
    (mine,) = result("list_agents", "--org", "Acme")["agents"]
    assert (mine["agentId"], mine["org"], mine["provider"]) == (agent.id, "Acme", "demo")
    with pytest.raises(CommandError, match="no organisation"):
        result("list_agents", "--org", "Nowhere")


def test_keys_are_listed_without_their_secret(key, foreign_key):
    row, token = key
    row.revoked_at = timezone.now()
    row.save()
    (mine,) = result("list_keys", "--org", "Acme")["keys"]
    assert (mine["keyId"], mine["agents"], mine["state"]) == (row.id, ["helper"], "revoked")
    assert token not in str(mine) and token not in run("list_keys")
    assert [each["state"] for each in result("list_keys")["keys"]] == ["revoked", "active"]
