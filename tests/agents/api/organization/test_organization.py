"""`agents.api.organization.organization`: read and renamed; who may delete it."""

import json

import pytest
from django.core.exceptions import ValidationError

from agents.api.organization import organization
from engine.errors import ClawError
from tests.agents.api import request
from tests.agents.api.organization.people import key_of, member_of


def shown(answer):
    return json.loads(answer.content)


def test_it_works(acme):
    by = member_of(acme, "admin")
    found = shown(organization.show(request(), by))
    assert (found["id"], found["name"], found["slug"]) == (acme.id, "Acme", "acme")
    assert shown(organization.change(request({}), by)) == found
    changed = shown(organization.change(request({"name": "Acme Ltd"}), by))
    assert changed == {**found, "name": "Acme Ltd"}, "the slug stays"


@pytest.mark.parametrize("name", ["", "Globex", "x" * 151, "a\0b"])
def test_a_name_is_good_and_free(acme, globex, name):
    with pytest.raises((ClawError, ValidationError)):
        organization.change(request({"name": name}), member_of(acme, "owner"))


def test_who_may_not_is_refused_before_the_body_is_read(acme, agent):
    for by in (
        member_of(acme, "member"),
        member_of(acme, "viewer"),
        key_of(acme, "agents:write"),
        key_of(acme, "admin", agents=[agent]),
    ):
        for view in (organization.show, organization.change, organization.confirmed):
            with pytest.raises(ClawError) as raised:
                view(request({"name": 7}), by)
            assert raised.value.code == "forbidden"


def test_an_owner_or_a_key_of_everything_deletes_it(acme):
    body = request({"name": "Acme"})
    assert organization.confirmed(body, member_of(acme, "owner")) == acme.id
    assert organization.confirmed(body, key_of(acme, "admin")) == acme.id
    with pytest.raises(ClawError, match="Only an owner"):
        organization.confirmed(body, member_of(acme, "admin"))


@pytest.mark.parametrize("body", [{}, {"name": "acme"}, {"name": "Globex"}])
def test_its_name_has_to_be_said(acme, globex, body):
    with pytest.raises(ClawError) as raised:
        organization.confirmed(request(body), member_of(acme, "owner"))
    assert raised.value.details == {"field": "name"}
