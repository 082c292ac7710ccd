"""`console.entrance.second_factor`: a second factor is asked for at every door for people."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography.fernet import Fernet
from django.core.cache import cache

from accounts.models import User
from accounts.rotation import rotate, rotation_state

LOGIN, ACTIVATE = "/accounts/login/", "/accounts/2fa/totp/activate/"


@pytest.fixture(autouse=True)
def fresh(transactional_db):
    """No limit is used up by another test."""
    cache.clear()


def sign_in(client, user):
    return client.post(LOGIN, {"login": user.email, "password": "correct horse"})


def prove(client):
    """Say the password once more, as every change of a second factor asks for."""
    client.post("/accounts/reauthenticate/", {"password": "correct horse"})


def code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


@pytest.fixture
def secret(client, alice) -> str:
    """Alice has an authenticator app; she is signed out again."""
    sign_in(client, alice)
    assert client.get(ACTIVATE).url.startswith("/accounts/reauthenticate/")
    prove(client)
    page = client.get(ACTIVATE).content.decode()
    found = re.search(r'value="([A-Z2-7]{32})"', page)
    assert found, page
    done = client.post(ACTIVATE, {"code": code(found[1])})
    assert done.status_code == 302, done.content.decode()
    client.logout()
    cache.clear()
    return found[1]


def test_it_works(client, alice, secret):
    asked = sign_in(client, alice)
    assert asked.url.startswith("/accounts/2fa/authenticate/")
    assert client.get("/console/").url.startswith(LOGIN), "a password alone opens nothing"
    assert client.post(asked.url, {"code": "000000"}).status_code == 200
    assert client.get("/console/").url.startswith(LOGIN)
    done = client.post(asked.url, {"code": code(secret)}, follow=True)
    assert done.redirect_chain[-1][0] == "/console/acme/"


def test_the_operator_s_admin_is_no_way_around_it(client, alice, secret):
    User.objects.update(is_superuser=True)
    form = {"username": alice.email, "password": "correct horse"}
    answer = client.post("/admin/login/", form)
    assert answer.status_code == 200 and "second factor" in answer.content.decode()
    assert client.get("/admin/").status_code == 302
    asked = sign_in(client, alice)
    client.post(asked.url, {"code": code(secret)})
    assert client.get("/admin/").status_code == 200


def test_p30_its_secret_is_encrypted_and_rotated(alice, secret, settings):
    rows = Authenticator.objects.values_list("data", flat=True)
    assert secret not in str(list(rows))
    settings.CLAW_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.CLAW_ENCRYPTION_KEYS]
    before = rotation_state()
    assert before.old == before.total >= 2
    assert rotate().old == before.old
    assert rotation_state().old == 0
    totp = Authenticator.objects.get(type="totp").wrap()
    assert totp.validate_code(code(secret))


def test_a_passkey_is_offered(client, alice):
    assert "passkey" in client.get(LOGIN).content.decode().lower()
    sign_in(client, alice)
    prove(client)
    page = client.get("/accounts/2fa/webauthn/add/")
    assert page.status_code == 200
    assert alice.email in page.content.decode()
