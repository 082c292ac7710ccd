"""`manage.py quickstart`."""

import pytest
from django.contrib.auth import authenticate

from accounts.models import Organization, User
from agents.auth.authorize import authorize
from agents.caller import Address
from agents.models import Agent, ApiKey
from agents.public.origins import matches
from core.database import database_step
from knowledge.models import Document
from tests.commands import result, run


def test_it_works(transactional_db, settings):
    settings.PORT = 8123
    made = result("quickstart")

    agent = Agent.objects.get()
    assert made["agentId"] == agent.id
    assert made["orgId"] == agent.organization.id
    assert made["slug"] == "my-agent"
    assert made["apiUrl"] == "http://127.0.0.1:8123/a/my-agent/api"
    assert made["wsUrl"] == "ws://127.0.0.1:8123/a/my-agent/api/ws"
    assert made["consoleUrl"] == "http://127.0.0.1:8123/console/"
    assert made["apiKey"].startswith(made["apiKeyPrefix"])
    assert agent.provider == "auto"
    assert agent.organization.platform_credentials


async def test_the_key_of_quickstart_opens_the_agent(transactional_db):
    made = await database_step(result, "quickstart")

    caller = await authorize(made["apiKey"], address=Address(), origin=None)
    assert caller.require_agent().id == made["agentId"]


def test_the_login_of_quickstart_opens_the_console(transactional_db, client):
    made = result("quickstart")

    assert authenticate(username=made["login"], password=made["password"])
    assert client.login(username=made["login"], password=made["password"])
    assert client.get("/admin/").status_code == 200


def test_the_agent_of_quickstart_has_tools_an_approval_a_question_and_a_document(transactional_db):
    result("quickstart")

    agent = Agent.objects.get()
    agent.full_clean()
    tools = {tool["builtin"]: tool for tool in agent.tools}
    assert tools.keys() == {"current_time", "calculator", "ask_user", "search_knowledge"}
    assert tools["calculator"]["approvers"] == "visitor"
    assert agent.show_tools
    assert Document.objects.get().agent == agent


def test_quickstart_again_changes_nothing_and_shows_no_secret(transactional_db):
    first, again = result("quickstart"), result("quickstart")

    secret = {"apiKey", "login", "password"}
    assert again == {name: value for name, value in first.items() if name not in secret}
    assert [model.objects.count() for model in (Organization, User, Agent, ApiKey, Document)] == [
        1
    ] * 5


def test_quickstart_makes_another_key_when_asked_or_when_the_last_is_revoked(transactional_db):
    first = result("quickstart")
    second = result("quickstart", "--new-key")
    assert second["apiKey"] != first["apiKey"]
    assert "password" not in second

    run("revoke_api_key", first["apiKeyPrefix"])
    assert result("quickstart")["apiKeyPrefix"] == second["apiKeyPrefix"]
    run("revoke_api_key", second["apiKeyPrefix"])
    assert "apiKey" in result("quickstart")


def test_quickstart_tells_people_what_to_do(transactional_db):
    first = run("quickstart")
    key = ApiKey.objects.get()
    assert f'curl -N -H "Authorization: Bearer {key.prefix}' in first
    assert "Login      owner@localhost" in first
    assert "/a/my-agent/api/chat/stream?message=Hello" in first

    again = run("quickstart")
    assert f"{key.prefix}…" in again
    assert "--new-key" in again
    assert "Password" not in again


@pytest.mark.parametrize(
    "public",
    [
        {"CLAW_PUBLIC_URL": "https://example.com"},
        {"CLAW_HTTPS": True},
        {"CLAW_AGENT_DOMAIN": "agents.example.com"},
        {"ALLOWED_HOSTS": ["example.com"]},
        {"ALLOWED_HOSTS": ["localhost", "127.0.0.1", "10.0.0.7"]},
        {"ALLOWED_HOSTS": ["localhost", "[2001:db8::1]"]},
        {"ALLOWED_HOSTS": ["*"]},
    ],
)
def test_quickstart_opens_nothing_to_everybody_unless_asked(transactional_db, settings, public):
    for name, value in public.items():
        setattr(settings, name, value)
    closed = result("quickstart")
    agent = Agent.objects.get()
    assert (agent.public_page, agent.allowed_origins, "pageUrl" in closed) == (False, [], False)
    assert "quickstart --public-page" in run("quickstart")

    opened = result("quickstart", "--public-page")
    agent.refresh_from_db()
    assert (agent.public_page, agent.allowed_origins) == (True, [])
    assert opened["pageUrl"].startswith("http")


def test_quickstart_on_this_machine_has_a_page_and_pages_in_development(transactional_db, settings):
    settings.PORT = 8000
    assert result("quickstart")["pageUrl"] == "http://my-agent.localhost:8000/"
    agent = Agent.objects.get()
    assert agent.public_page
    assert matches("http://localhost:3000", agent.allowed_origins)
    assert matches("http://127.0.0.1:5173", agent.allowed_origins)
    agent.full_clean()

    Agent.objects.update(public_page=False, allowed_origins=[])
    assert "pageUrl" not in result("quickstart")
    assert Agent.objects.get().allowed_origins == [], "what was switched off stays off"
