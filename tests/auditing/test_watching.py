"""`auditing.watching`: whatever is made, changed or deleted is told, whoever does it."""

from decimal import Decimal

import pytest

from accounts.access import erase_secret, store_secret
from accounts.members import Manager, change_role
from accounts.models import Membership, Organization
from agents.auth import keys
from agents.models import Agent, ApiKey
from auditing.actors import Actor, acting
from auditing.models import AuditEvent
from metering.models import Budget

ADA = Actor("member", "mem_ada", "ada@example.com", "192.0.2.7")


@pytest.fixture(autouse=True)
def from_now_on(acme):
    AuditEvent.objects.all()._raw_delete("default")


def told(**wanted) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(**wanted).order_by("created_at", "id"))


def test_it_works(acme):
    with acting(ADA):
        agent = Agent.objects.create(organization=acme, slug="a", name="A", provider="demo")
        agent.instructions = "Be brief."
        agent.save(update_fields=["instructions"])
        agent.delete()
    made, changed, gone = told()
    assert [each.action for each in (made, changed, gone)] == [
        *("agent.created", "agent.changed"),
        "agent.deleted",
    ]
    assert {(each.actor_id, each.actor_name, each.address) for each in (made, changed, gone)} == {
        ("mem_ada", "ada@example.com", "192.0.2.7")
    }
    assert (made.before, made.after["name"], made.organization_id) == (None, "A", acme.pk)
    assert changed.before == {"instructions": ""}
    assert changed.after == {"instructions": "Be brief."}
    assert (gone.before["name"], gone.after) == ("A", None)


def test_p38_keys_are_told_of_without_their_secret(acme):
    key, token = keys.create_key(acme, name="Shop")
    keys.revoke(key)
    made, revoked = told()
    assert (made.action, revoked.action) == ("key.created", "key.revoked")
    assert made.actor_kind == "operator"
    assert token not in str(made.after) and key.digest not in str(made.after)
    assert revoked.before == {"revoked_at": None} and revoked.after["revoked_at"]


def test_the_use_of_a_key_is_no_change(key):
    AuditEvent.objects.all()._raw_delete("default")
    key[0].last_used_at = key[0].created_at
    key[0].save(update_fields=["last_used_at"])
    key[0].save()
    assert told() == []


def test_p38_a_secret_is_told_of_without_its_value(acme):
    store_secret(acme.pk, "TOKEN", "hush-hush")
    store_secret(acme.pk, "TOKEN", "hush-hush-2")
    erase_secret(acme.pk, "TOKEN")
    assert [each.action for each in told()] == ["secret.created", "secret.deleted"]
    assert "hush" not in str([(each.before, each.after) for each in told()])


def test_roles_and_budgets(acme, alice, bob):
    AuditEvent.objects.all()._raw_delete("default")
    member = Membership.objects.get(user=bob)
    change_role(Manager(acme.pk, is_owner=True), member.pk, "viewer")
    Budget.objects.create(organization=acme, scope="organization", amount=Decimal("2.5"))
    role, budget = told()
    assert (role.action, role.before, role.after) == (
        *("member.changed", {"role": "member"}),
        {"role": "viewer"},
    )
    assert (budget.action, budget.after["amount"]) == ("budget.created", "2.5")


def test_p38_signing_in_is_told_in_each_organisation(client, alice, acme, globex):
    Membership.objects.create(organization=globex, user=alice, role="viewer")
    AuditEvent.objects.all()._raw_delete("default")
    client.force_login(alice)
    found = told(action="member.signed_in")
    assert {each.organization_id for each in found} == {acme.pk, globex.pk}
    assert {each.actor_name for each in found} == {alice.email}


def test_what_goes_with_something_else_is_not_told(acme, key):
    acme.delete()
    assert not Organization.objects.exists() and told() == []


def test_a_page_of_the_console_acts_for_its_member(client, alice, key):
    client.force_login(alice)
    client.post(f"/console/acme/settings/keys/{key[0].pk}/revoke/")
    (event,) = told(action="key.revoked")
    assert (event.actor_kind, event.actor_name) == ("member", alice.email)
    assert event.address
    assert ApiKey.objects.get().revoked_at


def test_an_event_neither_changes_nor_goes(acme):
    Agent.objects.create(organization=acme, slug="a", name="A", provider="demo")
    (event,) = told()
    event.action = "agent.deleted"
    for act in (event.save, event.delete):
        with pytest.raises(TypeError):
            act()


def test_a_long_text_is_cut(acme):
    text = "x" * 5000
    Agent.objects.create(organization=acme, slug="a", name="A", provider="demo", instructions=text)
    assert len(told()[0].after["instructions"]) == 2001
