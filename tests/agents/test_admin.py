"""`agents.admin`: what the operator sees of agents and keys."""

import asyncio
import json
import re
from datetime import timedelta

import pytest
from django.contrib.admin.utils import quote
from django.contrib.staticfiles import finders
from django.urls import reverse
from django.utils import timezone

from accounts.models import Secret, User
from agents import access
from agents.auth import key_format, key_holders
from agents.models import Agent, ApiKey, McpServer
from agents.validators import DEFAULT_SCOPES
from tests.database import everything_stored

KEY = re.compile(r"claw_live_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}")


@pytest.fixture
def operator(client, transactional_db):
    """A browser in which an operator is logged in."""
    client.force_login(User.objects.create_superuser("root@example.com", "x"))
    return client


def add_key(operator, owner, **fields):
    form = {
        "organization": owner.id,
        "name": "from admin",
        "scopes": ["chat"],
        **fields,
    }
    return operator.post(reverse("admin:agents_apikey_add"), form, follow=True)


def change_form(row) -> str:
    return reverse(
        f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(row.pk)]
    )


def test_it_works(operator, key, agent):
    row, _ = key
    for model in (Agent, ApiKey):
        address = reverse(f"admin:agents_{model._meta.model_name}_changelist")
        assert operator.get(address).status_code == 200
        assert operator.get(address, {"q": "helper"}).status_code == 200
    for known in (agent, row):
        assert operator.get(change_form(known)).status_code == 200
    for address in ("admin:agents_agent_add", "admin:agents_apikey_add"):
        assert operator.get(reverse(address)).status_code == 200


def test_a_form_that_adds_shows_nothing_that_is_not_there_yet(operator):
    for name in ("agents_agent", "agents_apikey", "accounts_organization", "accounts_secret"):
        page = operator.get(reverse(f"admin:{name}_add"))
        assert b"readonly" not in page.content, name


def test_lists_are_written_a_line_for_each(operator, agent):
    page = operator.get(change_form(agent))
    form = page.context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value not in (None, False)}
    data |= {
        "parameters": "{}",
        "prompts": "What can you do?\n\n  How much is it?\n",
        "allowed_origins": "https://shop.example\nhttps://*.shop.example",
    }
    saved = operator.post(change_form(agent), data)
    assert saved.status_code == 302, saved.context["errors"]
    agent.refresh_from_db()
    assert agent.prompts == ["What can you do?", "How much is it?"]
    assert agent.allowed_origins == ["https://shop.example", "https://*.shop.example"]


def test_tools_are_named_in_the_form(operator, agent):
    initial = operator.get(change_form(agent)).context["adminform"].form.initial
    data = {name: value for name, value in initial.items() if value not in (None, False)}
    data |= {"parameters": "{}", "prompts": "", "allowed_origins": ""}
    for tools in ([{"builtin": "current_time"}], []):
        saved = operator.post(change_form(agent), data | {"tools": json.dumps(tools)})
        assert saved.status_code == 302, saved.context["errors"]
        agent.refresh_from_db()
        assert agent.tools == tools
    unknown = data | {"tools": '[{"builtin": "nothing"}]'}
    page = operator.post(change_form(agent), unknown)
    assert "there are: current_time" in str(page.context["adminform"].form.errors["tools"])


def test_an_origin_that_is_none_is_refused_by_the_form(operator, acme):
    page = add_key(operator, acme, allowed_origins="shop.example")
    assert "allowed_origins" in page.context["adminform"].form.errors


def test_members_of_organisations_have_no_admin(client, alice, key):
    client.force_login(alice)

    assert client.get(change_form(key[0])).status_code == 302


def test_p23_a_new_key_is_shown_exactly_once(operator, agent):
    answer = add_key(operator, agent.organization, agents=[agent.id])

    (token,) = set(KEY.findall(answer.content.decode()))
    row = ApiKey.objects.get()
    assert (row.prefix, row.last_four) == (token[:18], token[-4:])
    assert list(row.agents.all()) == [agent]
    for address in (change_form(row), reverse("admin:agents_apikey_changelist")):
        page = operator.get(address).content.decode()
        assert row.prefix in page
        assert token not in page
        assert row.digest not in page
    assert token.split("_")[2] not in everything_stored()


async def opens(token: str) -> key_holders.KnownKey:
    return await key_holders.find(key_format.read(token), frozenset())


def test_a_change_holds_at_once_and_makes_no_new_key(operator, key):
    row, token = key
    assert "usage:read" not in asyncio.run(opens(token)).principal.scopes

    operator.post(
        change_form(row),
        {
            "name": "renamed",
            "scopes": ["chat", "usage:read"],
            "agents": [agent.id for agent in row.agents.all()],
        },
    )

    changed = ApiKey.objects.get()
    assert (changed.name, changed.digest) == ("renamed", row.digest)
    assert "usage:read" in asyncio.run(opens(token)).principal.scopes


def test_p24_a_key_gets_no_foreign_agent(operator, acme, foreign_agent):
    answer = add_key(operator, acme, agents=[foreign_agent.id])

    assert "no such agent" in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_a_form_without_an_organisation_is_answered(operator, acme):
    answer = add_key(operator, acme, organization="", agents=[])

    assert "This field is required" in answer.content.decode()


def test_a_key_never_changes_hands(operator, key, globex):
    row, _ = key
    operator.post(
        change_form(row),
        {
            "organization": globex.id,
            "name": "x",
            "scopes": ["chat"],
            "every_agent": "on",
            "expires_at_0": "2030-01-01",
            "expires_at_1": "00:00",
        },
    )

    row.refresh_from_db()
    assert row.name == "x"
    assert row.expires_at > timezone.now() + timedelta(days=1)
    assert row.organization_id != globex.id


def test_the_revoke_action_ends_the_chosen_keys(operator, key, foreign_key):
    operator.post(
        reverse("admin:agents_apikey_changelist"),
        {"action": "revoke", "_selected_action": [key[0].id]},
    )

    assert set(ApiKey.objects.filter(revoked_at=None)) == {foreign_key[0]}


def test_p30_no_page_shows_a_secret(operator, agent, acme):
    agent.credential = Secret.objects.create(organization=acme, name="ours", value="sk-marker")
    agent.save()

    assert "sk-marker" not in operator.get(change_form(agent)).content.decode()


def test_p23_an_identity_secret_is_shown_exactly_once(operator, agent):
    form = {"action": "make_identity_secret", "_selected_action": [agent.pk]}
    address = reverse("admin:agents_agent_changelist")
    answer = operator.post(address, form, follow=True).content.decode()

    (secret,) = re.findall(r"claw_identity_[0-9A-Za-z]{43}", answer)
    assert access.identity_secret(agent) == secret
    assert secret not in operator.get(address).content.decode()
    assert secret not in operator.get(change_form(agent)).content.decode()
    assert secret not in everything_stored()


def test_the_default_scopes_are_ticked(operator):
    page = operator.get(reverse("admin:agents_apikey_add")).content.decode()
    ticked = re.findall(r'name="scopes" value="([\w:]+)"[^>]* checked', page)
    assert ticked == list(DEFAULT_SCOPES)


def test_view_on_site_leads_to_the_page_of_an_agent_that_has_one(operator, agent):
    assert "helper.localhost" not in operator.get(change_form(agent)).content.decode()
    agent.public_page = True
    agent.save()
    assert "http://helper.localhost" in operator.get(change_form(agent)).content.decode()


def test_every_page_has_an_icon_that_there_is(operator):
    page = operator.get(reverse("admin:index")).content.decode()
    (icon,) = re.findall(r'<link rel="icon" href="/static/([^"]+)"', page)
    assert finders.find(icon)


def test_an_agent_that_is_deleted_is_hidden_at_once(operator, agent, key):
    page = reverse("admin:agents_agent_delete", args=[quote(agent.pk)])
    assert operator.get(page).status_code == 200
    operator.post(page, {"post": "yes"})

    assert not Agent.objects.exists()
    assert access.hidden_agents().get().pk == agent.pk


def test_headers_of_an_mcp_server_are_added_and_never_shown(operator, acme):
    form = {
        "organization": acme.id,
        "name": "crm",
        "url": "https://crm.example.com/mcp",
        "timeout_ms": 30000,
        "more_headers": "Authorization: Bearer hush\n\nX-Team: blue",
    }
    added = operator.post(reverse("admin:agents_mcpserver_add"), form, follow=True)
    server = McpServer.objects.get()
    assert json.loads(server.headers) == {"Authorization": "Bearer hush", "X-Team": "blue"}
    page = operator.get(change_form(server))
    assert b"hush" not in page.content and b"hush" not in added.content
    operator.post(change_form(server), form | {"more_headers": "X-Tier: gold"})
    server.refresh_from_db()
    assert [*json.loads(server.headers)] == ["Authorization", "X-Team", "X-Tier"]
    wrong = operator.post(change_form(server), form | {"more_headers": "Host: a"})
    assert b"no header that can be set" in wrong.content
