"""`manage.py create_user`: a member who can sign in."""

import io

import pytest
from django.core.management import CommandError

from accounts.models import Membership, User
from tests.commands import result


def create(*words: str) -> dict:
    return result("create_user", *words)


def test_it_works(acme, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("analytical engine\n"))
    words = ("Ada@example.com", "--org", "Acme", "--role", "admin", "--password-stdin")
    made = create(*words)
    user = User.objects.get(id=made["userId"])
    assert user.check_password("analytical engine")
    assert Membership.objects.get(user=user, organization=acme).role == made["role"] == "admin"


def test_without_a_password_there_is_none_yet(acme):
    made = create("ada@example.com", "--org", "Acme")
    assert made["role"] == "member"
    assert not User.objects.get().has_usable_password()


def test_again_changes_the_role(acme, bob):
    create(bob.email, "--org", "Acme", "--role", "viewer")
    assert Membership.objects.get(user=bob).role == "viewer"
    assert User.objects.get().check_password("correct horse")


def test_an_easy_password_is_refused_and_nobody_is_made(acme, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("123\n"))
    with pytest.raises(CommandError, match="too short"):
        create("ada@example.com", "--org", "Acme", "--password-stdin")
    assert not User.objects.exists()


def test_an_unknown_organisation_is_said(transactional_db):
    with pytest.raises(CommandError, match="no organisation"):
        create("ada@example.com", "--org", "Nowhere")


def test_another_name(acme):
    words = ("--org", "Acme", "--email", "ada@example.com", "--role", "viewer")
    assert result("create_member", *words)["role"] == "viewer"
    assert Membership.objects.get(user__email="ada@example.com").organization == acme


def test_organisations_are_listed(acme, alice, bob, globex):
    first, second = result("list_orgs")["orgs"]
    assert (first["orgId"], first["slug"], first["members"]) == (acme.id, "acme", 2)
    assert (second["name"], second["members"]) == ("Globex", 0)
