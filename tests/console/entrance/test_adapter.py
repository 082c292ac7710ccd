"""`console.entrance.adapter`: signing in, with the brake on failures, and resetting by code."""

import re

import pytest
from django.core import mail
from django.core.cache import cache

from accounts.models import Membership, Organization, User

LOGIN, SIGNUP, RESET = "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"
CONFIRM = "/accounts/confirm-email/"
FORM = {"email": "Ada@Example.com", "organization": "Lovelace", "password1": "analytical engine"}


@pytest.fixture(autouse=True)
def fresh(transactional_db, settings):
    """No limit is used up by another test."""
    settings.CLAW_SIGNUP = "open"
    cache.clear()


def code_of_mail() -> str:
    found = re.search(r"^([A-Z0-9]{3}-?[A-Z0-9]{3}|[A-Z0-9-]{6,9})$", mail.outbox[-1].body, re.M)
    assert found, mail.outbox[-1].body
    return found[1]


def sign_in(client, email="alice@example.com", password="correct horse"):
    return client.post(LOGIN, {"login": email, "password": password})


def test_it_works(client):
    """Sign up, prove the address, be in the console of an organisation of one's own."""
    asked = client.post(SIGNUP, FORM)
    assert asked.status_code == 302, asked.context["form"].errors
    assert client.get("/console/").status_code == 302, "nobody is in before the address is proved"
    done = client.post(asked.url, {"code": code_of_mail()}, follow=True)
    assert done.redirect_chain[-1][0] == "/console/lovelace/"
    owner = Membership.objects.get()
    assert (owner.user.email, owner.role) == ("ada@example.com", "owner")
    assert not owner.organization.platform_credentials, "the operator does not pay for strangers"


def test_a_wrong_code_opens_nothing(client):
    asked = client.post(SIGNUP, FORM)
    assert client.post(asked.url, {"code": "WRO-NGC"}).status_code == 200
    assert client.get("/console/").url.startswith(LOGIN)


def test_an_address_that_is_known_is_answered_like_any_other(client, alice):
    """Whether somebody has an account is told to their mailbox alone."""
    known = client.post(SIGNUP, FORM | {"email": alice.email})
    unknown = client.post(SIGNUP, FORM)
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert not Organization.objects.filter(name="Lovelace", members=alice).exists()


def test_a_name_of_an_organisation_is_taken_once(client, acme):
    answer = client.post(SIGNUP, FORM | {"organization": "Acme"})
    assert "This name is taken" in answer.content.decode()
    assert not User.objects.exists()


def test_nobody_signs_up_where_it_is_closed(client, settings):
    settings.CLAW_SIGNUP = "closed"
    client.post(SIGNUP, FORM)
    assert not User.objects.exists()


def test_an_account_that_an_operator_made_needs_no_proof(client, alice):
    answer = sign_in(client, "Alice@Example.com")
    assert (answer.status_code, answer.url) == (302, "/console/")
    assert client.get("/console/").url == "/console/acme/"


def test_after_too_many_failures_the_password_is_not_looked_at(client, alice):
    for _ in range(10):
        assert "rate_limited" not in str(sign_in(client, password="wrong").context["form"].errors)
    assert "Too many failed logins" in sign_in(client).content.decode()
    assert client.get("/console/").url.startswith(LOGIN)


def test_a_password_is_reset_by_code(client, alice):
    asked = client.post(RESET, {"email": "Alice@example.com"})
    confirmed = client.post(asked.url, {"code": code_of_mail()})
    words = {"password1": "battery staple", "password2": "battery staple"}
    assert client.post(confirmed.url, words).status_code == 302
    client.logout()
    assert sign_in(client, password="battery staple").url == "/console/"


def test_a_reset_of_an_unknown_address_is_answered_like_any_other(client, alice):
    known, unknown = (client.post(RESET, {"email": e}) for e in (alice.email, "no@example.com"))
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
