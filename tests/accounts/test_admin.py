"""`accounts.admin`: people, organisations, and secrets that never come out."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth import authenticate
from django.urls import reverse

from accounts.models import Membership, Organization, Secret, User

MODELS = (User, Organization, Membership, Secret)


@pytest.fixture
def operator(client, transactional_db):
    """A browser in which an operator is logged in."""
    client.force_login(User.objects.create_superuser("root@example.com", "x"))
    return client


@pytest.fixture
def secret(acme):
    return Secret.objects.create(organization=acme, name="anthropic", value="sk-ant-marker")


def page(model, kind: str, *args: str) -> str:
    return reverse(f"admin:accounts_{model._meta.model_name}_{kind}", args=map(quote, args))


def test_it_works(operator, alice, secret):
    for model in MODELS:
        assert operator.get(page(model, "changelist"), {"q": "a"}).status_code == 200
        assert operator.get(page(model, "add")).status_code == 200
        row = model.objects.first()
        assert operator.get(page(model, "change", row.pk)).status_code == 200


def test_a_person_is_added_by_address(operator):
    form = {
        "email": "New@Example.com",
        "usable_password": "true",
        "password1": "a long passphrase",
        "password2": "a long passphrase",
        "membership_set-TOTAL_FORMS": 0,
        "membership_set-INITIAL_FORMS": 0,
    }
    operator.post(page(User, "add"), form)

    assert authenticate(username="new@example.com", password="a long passphrase")


def test_p30_a_secret_is_stored_and_never_shown(operator, acme):
    form = {"organization": acme.id, "name": "anthropic", "new_value": "sk-ant-marker"}
    answer = operator.post(page(Secret, "add"), form, follow=True)

    secret = Secret.objects.get()
    assert secret.value == "sk-ant-marker"
    pages = [answer, operator.get(page(Secret, "change", secret.pk))]
    pages += [operator.get(page(Secret, "changelist"))]
    for shown in pages:
        assert "marker" not in shown.content.decode()
    assert not any("marker" in entry.change_message for entry in LogEntry.objects.all())


def test_an_empty_value_keeps_the_stored_one(operator, secret):
    operator.post(page(Secret, "change", secret.pk), {"name": "renamed", "new_value": ""})
    changed = Secret.objects.get()
    assert (changed.name, changed.value) == ("renamed", "sk-ant-marker")

    operator.post(page(Secret, "change", secret.pk), {"name": "renamed", "new_value": "sk-new"})
    assert Secret.objects.get().value == "sk-new"


def test_a_new_secret_needs_a_value(operator, acme):
    operator.post(page(Secret, "add"), {"organization": acme.id, "name": "x", "new_value": ""})

    assert not Secret.objects.exists()


def test_p30_an_error_in_the_form_does_not_send_the_value_back(operator, acme):
    answer = operator.post(page(Secret, "add"), {"name": "x", "new_value": "sk-ant-marker"})

    assert answer.status_code == 200
    assert "marker" not in answer.content.decode()


def test_members_have_no_admin(client, alice):
    client.force_login(alice)

    assert client.get(page(Secret, "changelist")).status_code == 302


def test_an_organisation_goes_after_its_agents(operator, agent, globex):
    for owner, status in ((agent.organization, 200), (globex, 302)):
        answer = operator.post(page(Organization, "delete", owner.pk), {"post": "yes"})
        assert answer.status_code == status
    assert list(Organization.objects.all()) == [agent.organization]
