"""`accounts.models`: people and organisations."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction

from accounts.models import Membership, Organization, Secret, User


def test_it_works(alice, acme):
    assert alice.id.startswith("user_")
    assert acme.id.startswith("org_")
    assert list(acme.members.all()) == [alice]


def test_a_person_logs_in_by_address_however_it_is_capitalised(alice):
    assert authenticate(username="Alice@Example.com", password="correct horse") == alice
    assert authenticate(username="alice@example.com", password="wrong") is None


def test_an_address_belongs_to_one_person(alice):
    with pytest.raises(IntegrityError):
        User.objects.create_user("ALICE@example.com")


def test_a_superuser_is_an_operator(db):
    assert User.objects.create_superuser("root@example.com", "x").is_staff


def test_a_person_is_one_member_of_an_organisation(alice, acme):
    with pytest.raises(IntegrityError):
        Membership.objects.create(organization=acme, user=alice)


def test_names_of_secrets_are_an_organisation_s_own(acme, globex):
    for organization in (acme, globex):
        Secret.objects.create(organization=organization, name="anthropic", value="x")
    with transaction.atomic(), pytest.raises(IntegrityError):
        Secret.objects.create(organization=acme, name="anthropic", value="y")


def test_the_operator_s_keys_are_for_organisations_that_the_operator_enabled(settings):
    settings.CLAW_PLATFORM_CREDENTIALS = "command"
    assert not Organization(name="a").may_use_platform_credentials()
    assert Organization(name="a", platform_credentials=True).may_use_platform_credentials()

    settings.CLAW_PLATFORM_CREDENTIALS = "all"
    assert Organization(name="a").may_use_platform_credentials()


def test_an_organisation_gets_a_slug_of_its_own(transactional_db) -> None:
    first = Organization.objects.create(name="Big Corp.")
    second = Organization.objects.create(name="big-corp")
    assert first.slug == "big-corp"
    assert second.slug.startswith("big-corp-")
    first.name = "Renamed"
    first.save()
    assert Organization.objects.get(pk=first.pk).slug == "big-corp"


def test_organisations_of_an_earlier_version_get_theirs(transactional_db) -> None:
    """A process of that version may even make one while the new one serves."""
    for name in ("Big Corp.", "big-corp"):
        Organization.objects.create(name=name)
    Organization.objects.update(slug=None)
    import_module("accounts.migrations.0004_organization_slug_and_viewers").give_slugs(apps, None)
    slugs = sorted(Organization.objects.values_list("slug", flat=True))
    assert slugs[0] == "big-corp" and slugs[1].startswith("big-corp-")
