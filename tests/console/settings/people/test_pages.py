"""`console.settings.people.pages`: members and invitations of an organisation."""

import re

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend as EmailBackend

from accounts.models import Invitation, Membership

LIST = "/console/acme/settings/members/"


@pytest.fixture
def signed_in(client, alice):
    """Alice looks at the console."""
    client.force_login(alice)
    return client


def test_it_works(signed_in, bob, charlie):
    page = signed_in.get(LIST).content.decode()
    assert bob.email in page and charlie.email not in page


def test_an_invitation_is_sent_by_mail(signed_in):
    signed_in.post(LIST, {"email": "dora@example.com", "role": "viewer"})
    (sent,) = mail.outbox
    assert sent.to == ["dora@example.com"]
    assert re.search(r"http\S+/invitations/\S+/", sent.body)
    assert "dora@example.com" in signed_in.get(LIST).content.decode()


def test_an_invitation_is_withdrawn(signed_in):
    signed_in.post(LIST, {"email": "dora@example.com", "role": "viewer"})
    id_ = Invitation.objects.get().id
    signed_in.post(f"/console/acme/settings/invitations/{id_}/withdraw/")
    assert not Invitation.objects.exists()


def test_a_role_is_changed_and_a_member_removed(signed_in, bob):
    member = Membership.objects.get(user=bob)
    signed_in.post(f"{LIST}{member.id}/role/", {"role": "admin"})
    member.refresh_from_db()
    assert member.role == "admin"
    signed_in.post(f"{LIST}{member.id}/remove/")
    assert not Membership.objects.filter(user=bob).exists()


def test_the_last_owner_is_told_why_not(signed_in, alice):
    member = Membership.objects.get(user=alice)
    answer = signed_in.post(f"{LIST}{member.id}/remove/", follow=True)
    assert "keeps an owner" in answer.content.decode()


class Away(EmailBackend):
    """A mail server that nobody reaches."""

    def send_messages(self, messages):
        raise ConnectionRefusedError


def test_without_a_mail_server_nobody_is_invited(signed_in, settings):
    settings.EMAIL_BACKEND = f"{__name__}.Away"
    answer = signed_in.post(LIST, {"email": "dora@example.com", "role": "viewer"})
    page = answer.content.decode()
    assert answer.status_code == 200 and "mail server does not answer" in page
    assert "dora@example.com" in page, "what was typed is kept"
    assert not Invitation.objects.exists()
