"""`core.commands`, by the example of `manage.py create_org`."""

import pytest
from django.core.management import CommandError

from accounts.models import Membership, Organization
from tests.commands import result, run


def test_it_works(transactional_db):
    made = result("create_org", "Acme", "--owner", "Alice@example.com")

    assert result("create_org", "Acme", "--owner", "alice@example.com") == made
    membership = Membership.objects.get()
    assert made == {"orgId": membership.organization_id, "slug": "acme"}
    assert (membership.user.email, membership.role) == ("alice@example.com", "owner")
    assert not membership.user.is_staff


def test_create_org_with_a_bad_owner_makes_nothing(transactional_db):
    with pytest.raises(CommandError, match="email"):
        run("create_org", "Acme", "--owner", "nobody")
    assert not Organization.objects.exists()


def test_an_owner_is_told_how_to_sign_in(transactional_db):
    told = run("create_org", "Acme", "--owner", "alice@example.com")
    assert "alice@example.com: chooses a password at /accounts/password/reset/" in told


def test_an_organisation_has_a_name(transactional_db):
    with pytest.raises(CommandError, match="name: This field cannot be blank"):
        run("create_org", "")
