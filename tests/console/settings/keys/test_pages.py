"""`settings.keys.pages`: a key is shown once, rotated with an overlap, and ended for good."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.auth import key_format, keys
from agents.models import ApiKey

LIST, NEW = "/console/acme/settings/keys/", "/console/acme/settings/keys/new/"
FORM = {"name": "app", "scopes": ["chat"], "agents": ["helper"], "expires": "30"}


@pytest.fixture
def signed_in(client, alice):
    """Alice looks at the console."""
    client.force_login(alice)
    return client


def shown(answer) -> str:
    found = re.search(r'id="token">(claw_\w+)<', answer.content.decode())
    assert found, answer.context and answer.context.get("form") and answer.context["form"].errors
    return found[1]


def test_it_works(signed_in, agent):
    answer = signed_in.post(NEW, FORM)
    token, key = shown(answer), ApiKey.objects.get()
    assert key.digest == key_format.digest(token)
    assert (key.scopes, list(key.agents.all()), key.every_agent) == (["chat"], [agent], False)
    assert timedelta(days=29) < key.expires_at - timezone.now() < timedelta(days=31)
    assert "no-store" in answer["Cache-Control"]
    assert token not in signed_in.get(LIST).content.decode()


def test_without_agents_it_opens_all(signed_in, agent):
    shown(signed_in.post(NEW, FORM | {"agents": []}))
    assert ApiKey.objects.get().every_agent


def test_an_agent_of_others_cannot_be_opened(signed_in, agent, foreign_agent):
    assert signed_in.post(NEW, FORM | {"agents": ["spy"]}).context["form"].errors
    assert not ApiKey.objects.exists()


def test_what_is_wrong_is_said_beside_its_field(signed_in, agent):
    form = signed_in.post(NEW, FORM | {"allowed_origins": "nonsense"}).context["form"]
    assert "allowed_origins" in form.errors
    assert not ApiKey.objects.exists()


def test_a_rotated_key_goes_on_for_a_while(signed_in, key):
    old, _ = key
    answer = signed_in.post(f"{LIST}{old.id}/rotate/", {"overlap": "3600"})
    successor = ApiKey.objects.exclude(id=old.id).get()
    assert key_format.digest(shown(answer)) == successor.digest
    old.refresh_from_db()
    assert timedelta(minutes=59) < old.expires_at - timezone.now() < timedelta(minutes=61)


def test_a_revoked_key_has_ended(signed_in, key):
    signed_in.post(f"{LIST}{key[0].id}/revoke/")
    key[0].refresh_from_db()
    assert key[0].revoked_at
    assert "revoked" in signed_in.get(LIST).content.decode()


def test_keys_of_others_are_not_listed(signed_in, key, foreign_key):
    page = signed_in.get(LIST).content.decode()
    assert key[0].prefix in page and foreign_key[0].prefix not in page


def test_without_keys_it_says_what_one_is(signed_in):
    assert "No API keys yet" in signed_in.get(LIST).content.decode()


def test_the_number_of_queries_does_not_grow(signed_in, agent, key):
    signed_in.get(LIST)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            signed_in.get(LIST)
        counts.append(len(asked))
        for number in range(10):
            keys.create_key(agent.organization, name=f"k{number}", agents=[agent])
    assert counts[0] == counts[1] <= 11
