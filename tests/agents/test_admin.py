"""`agents.admin`: what the operator sees of agents and keys."""

import asyncio
import re
from datetime import timedelta

import pytest
from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils import timezone

from accounts.models import Secret, User
from agents import access, keys
from agents.models import Agent, ApiKey
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
        "allowed_origins": "[]",
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


async def opens(token: str) -> keys.KnownKey:
    return await keys.find(token, frozenset())


def test_a_change_holds_at_once_and_makes_no_new_key(operator, key):
    row, token = key
    assert "usage:read" not in asyncio.run(opens(token)).scopes

    operator.post(
        change_form(row),
        {
            "name": "renamed",
            "scopes": ["chat", "usage:read"],
            "allowed_origins": "[]",
            "agents": [agent.id for agent in row.agents.all()],
        },
    )

    changed = ApiKey.objects.get()
    assert (changed.name, changed.digest) == ("renamed", row.digest)
    assert "usage:read" in asyncio.run(opens(token)).scopes


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
            "allowed_origins": "[]",
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
