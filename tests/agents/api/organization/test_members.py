"""`agents.api.organization.members`: members are listed, given roles and removed over REST."""

import json

import pytest

from accounts.models import Membership
from agents.api.organization import members
from engine.errors import ClawError
from tests.agents.api import request
from tests.agents.api.organization.people import key_of, member_of


def shown(answer):
    return json.loads(answer.content)


def test_it_works(acme, alice, bob, charlie):
    by = member_of(acme, "admin")
    listed = shown(members.index(request(), by))["members"]
    emails = ["admin@acme.example", bob.email, alice.email]
    assert [each["email"] for each in listed] == emails, "the newest first, and nobody of others"
    assert listed[1].keys() == {"id", "email", "name", "role", "createdAt", "lastSignInAt"}
    changed = shown(members.change(request({"role": "viewer"}), by, listed[1]["id"]))
    assert changed == {**listed[1], "role": "viewer"}
    assert members.remove(request(), by, listed[1]["id"]).status_code == 204
    assert not Membership.objects.filter(user=bob).exists()


def test_pages(acme, alice, bob):
    by = member_of(acme, "owner")
    first = shown(members.index(request(query="limit=2"), by))
    rest = shown(members.index(request(query=f"before={first['nextCursor']}"), by))
    assert [len(page["members"]) for page in (first, rest)] == [2, 1]
    assert rest["nextCursor"] is None


def refused(by, view, *names):
    """Whether it is said before the body is looked at."""
    with pytest.raises(ClawError) as raised:
        view(request({"role": 7}), by, *names)
    return raised.value.code == "forbidden"


def test_who_may_not_is_refused_before_all_else(acme, agent, alice):
    id_ = Membership.objects.get(user=alice).id
    for by in (
        member_of(acme, "member"),
        member_of(acme, "viewer"),
        key_of(acme, "agents:write"),
        key_of(acme, "admin", agents=[agent]),
    ):
        assert refused(by, members.index)
        assert refused(by, members.change, id_)
        assert refused(by, members.remove, id_)


def test_a_key_is_no_owner(acme, alice, bob):
    by = key_of(acme, "admin")
    owner = Membership.objects.get(user=alice).id
    assert refused(by, members.remove, owner)
    member = Membership.objects.get(user=bob).id
    with pytest.raises(ClawError, match="Only an owner"):
        members.change(request({"role": "owner"}), by, member)
    assert shown(members.change(request({"role": "admin"}), by, member))["role"] == "admin"


def test_strangers_are_unknown(acme, charlie):
    by, theirs = member_of(acme, "owner"), Membership.objects.get(user=charlie).id
    for name in (theirs, "mem_unknown", "\0"):
        with pytest.raises(ClawError, match="no such member"):
            members.change(request({"role": "viewer"}), by, name)
        with pytest.raises(ClawError, match="no such member"):
            members.remove(request(), by, name)
