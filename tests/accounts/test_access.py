"""`accounts.access`: what is whose."""

import pytest
from django.core.exceptions import ValidationError

from accounts.access import (
    ensure_member,
    ensure_organization,
    organization_of_operator,
    secret_value,
)
from accounts.models import Membership, Secret
from engine.errors import ClawError
from wire.errors import status_of


def test_it_works(acme):
    secret = Secret.objects.create(organization=acme, name="anthropic", value="sk")

    assert secret_value(acme.id, secret.id) == "sk"


def test_p24_a_foreign_secret_is_as_unknown_as_a_missing_one(acme, globex):
    secret = Secret.objects.create(organization=acme, name="anthropic", value="sk")

    assert secret_value(globex.id, secret.id) is None
    assert secret_value(globex.id, "sec_missing") is None


def test_an_organisation_is_made_once(db):
    made = ensure_organization("New")

    assert made.platform_credentials
    assert ensure_organization("New") == made


def test_a_command_does_not_enable_an_organisation_that_it_did_not_make(acme):
    assert not ensure_organization(acme.name).platform_credentials


def test_an_owner_keeps_password_and_is_promoted(acme, bob):
    assert ensure_member(acme, "Bob@example.com") == bob

    assert Membership.objects.get(user=bob).role == Membership.Role.OWNER
    assert bob.check_password("correct horse")


def test_an_owner_needs_an_address(acme):
    with pytest.raises(ValidationError):
        ensure_member(acme, "nonsense")


def test_an_unknown_organisation_is_a_404(db):
    with pytest.raises(ClawError) as raised:
        organization_of_operator("Nobody")
    assert status_of(raised.value) == 404
