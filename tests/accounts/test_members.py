"""`accounts.members`: invitations, roles, and the owner who always stays."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts import members
from accounts.members import Manager
from accounts.models import Invitation, Membership, User
from engine.errors import ClawError
from tests.accounts.invited import invited


@pytest.fixture
def owner(alice):
    return Membership.objects.get(user=alice)


@pytest.fixture
def by_owner(acme):
    return Manager(acme.id, is_owner=True)


@pytest.fixture
def by_admin(acme):
    return Manager(acme.id, is_owner=False)


@pytest.fixture
def admin(bob):
    Membership.objects.filter(user=bob).update(role="admin")
    return Membership.objects.get(user=bob)


@pytest.fixture
def dora(transactional_db):
    """Somebody without an organisation."""
    return User.objects.create_user("dora@example.com", "correct horse")


def code_of(call, *arguments) -> str:
    with pytest.raises(ClawError) as raised:
        call(*arguments)
    return str(raised.value.code)


def test_it_works(owner, dora):
    invitation, code = invited(owner.organization, "Dora@example.com", "viewer")
    assert code not in str(vars(invitation)), "only a digest is kept"
    made = members.accept(code, dora)
    assert (made.organization, made.role) == (owner.organization, "viewer")
    assert code_of(members.accept, code, dora) == "not_found", "it is good once"


def test_an_invitation_is_for_one_address(owner, dora, charlie):
    _, code = invited(owner.organization, dora.email, "viewer")
    assert code_of(members.accept, code, charlie) == "not_found"


def test_an_invitation_ends(owner, dora):
    _, code = invited(owner.organization, dora.email, "viewer")
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert code_of(members.accept, code, dora) == "not_found"


def test_a_second_invitation_takes_the_place_of_the_first(owner, dora):
    _, first = invited(owner.organization, dora.email, "viewer")
    _, second = invited(owner.organization, dora.email, "member")
    assert code_of(members.accept, first, dora) == "not_found"
    assert members.accept(second, dora).role == "member"


def test_a_member_is_not_invited_again(owner, bob):
    assert code_of(invited, owner.organization, bob.email, "owner") == "invalid_message"


def test_nonsense_is_not_invited(owner):
    with pytest.raises(ValidationError):
        invited(owner.organization, "nonsense", "viewer")
    with pytest.raises(ValidationError):
        invited(owner.organization, "dora@example.com", "king")


def test_only_an_owner_makes_and_unmakes_owners(owner, by_admin, admin, dora):
    assert code_of(members.new_invitation, by_admin, dora.email, "owner") == "forbidden"
    assert code_of(members.change_role, by_admin, admin.id, "owner") == "forbidden"
    assert code_of(members.change_role, by_admin, owner.id, "viewer") == "forbidden"
    assert code_of(members.remove, by_admin, owner.id) == "forbidden"


def test_the_last_owner_stays(owner, by_owner, admin):
    assert code_of(members.change_role, by_owner, owner.id, "viewer") == "in_use"
    assert code_of(members.remove, by_owner, owner.id) == "in_use"
    members.change_role(by_owner, admin.id, "owner")
    members.remove(by_owner, owner.id)
    assert [member.role for member in Membership.objects.all()] == ["owner"]


def test_members_of_others_do_not_exist(by_owner, charlie):
    foreign = Membership.objects.get(user=charlie)
    assert code_of(members.remove, by_owner, foreign.id) == "not_found"
    assert code_of(members.change_role, by_owner, foreign.id, "viewer") == "not_found"


def test_nobody_is_flooded_with_invitations(owner, monkeypatch):
    for _ in range(members.MAX_TO_ONE_AN_HOUR):
        invited(owner.organization, "dora@example.com", "viewer")
    again = owner.organization, "dora@example.com", "viewer"
    assert code_of(invited, *again) == "rate_limited"
    monkeypatch.setattr(members, "MAX_AN_HOUR", members.MAX_TO_ONE_AN_HOUR + 1)
    assert code_of(invited, owner.organization, "eve@example.com", "viewer") == "rate_limited"
