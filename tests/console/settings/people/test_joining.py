"""`people.joining`: an invitation brings somebody in, with an account or without one."""

import re

import pytest
from django.core import mail

from accounts.models import Membership, Organization, User
from tests.accounts.invited import invited

SIGNUP = "/accounts/signup/"


@pytest.fixture
def code(alice):
    """The code of an invitation for dora."""
    return invited(alice.organizations.get(), "dora@example.com", "viewer")[1]


def test_it_works(client, code):
    dora = User.objects.create_user("dora@example.com", "correct horse")
    client.force_login(dora)
    assert "Join Acme" in client.get(f"/invitations/{code}/").content.decode()
    assert client.post(f"/invitations/{code}/").url == "/console/acme/"
    assert Membership.objects.get(user=dora).role == "viewer"


@pytest.mark.parametrize("signup", ["open", "invited"])
def test_who_has_no_account_makes_one_and_founds_nothing(client, code, settings, signup):
    settings.CLAW_SIGNUP = signup
    client.get(f"/invitations/{code}/")
    form = {"email": "Dora@example.com", "password1": "analytical engine"}
    asked = client.post(SIGNUP, form)
    (proof,) = re.findall(r"^[A-Z0-9]{4}-[A-Z0-9]{4}$", mail.outbox[-1].body, re.M)
    assert client.post(asked.url, {"code": proof}, follow=True).status_code == 200
    assert client.get("/console/").url == "/console/acme/"
    assert Organization.objects.count() == 1


def test_it_is_for_one_address(client, code, settings, charlie):
    settings.CLAW_SIGNUP = "invited"
    client.get(f"/invitations/{code}/")
    answer = client.post(SIGNUP, {"email": "eve@example.com", "password1": "analytical engine"})
    assert "The invitation is for dora@example.com" in answer.content.decode()
    client.force_login(charlie)
    assert "no such invitation" in client.post(f"/invitations/{code}/").content.decode()


def test_without_an_invitation_nobody_signs_up(client, settings, transactional_db):
    settings.CLAW_SIGNUP = "invited"
    client.post(SIGNUP, {"email": "eve@example.com", "password1": "analytical engine"})
    assert not User.objects.exists()
    assert client.get("/invitations/unknown/").status_code == 404
