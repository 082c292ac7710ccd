"""`console.members`: who sees which page; generated from the URL configuration."""

import pytest

from accounts.models import Membership, User
from agents.auth.members import SCOPES_OF_ROLE
from alerts.models import AlertRule
from metering.models import Budget
from tests.accounts.invited import invited
from tests.console.pages import ROLES, address, patterns
from tests.conversations.history.talks import talk as had

PATTERNS = list(patterns())
NAMING = [each for each in PATTERNS if each.pattern.converters]


def people_of(organization):
    """A member of the organisation, and somebody whom they have invited."""
    user = User.objects.create_user(f"some@{organization.slug}.example", "correct horse")
    member = Membership.objects.create(organization=organization, user=user, role="member")
    invitation, _ = invited(organization, "guest@example.com", "viewer")
    return {"member_id": member.id, "invitation_id": invitation.id}


def budget_of(organization):
    """A budget of the organisation."""
    return Budget.objects.create(organization=organization, scope="organization", tokens=1).id


def rule_of(organization):
    """An alert rule of the organisation."""
    made = AlertRule.objects.create(
        organization=organization, name="Errors", metric="error_rate", threshold=1
    )
    return made.id


@pytest.fixture
def names(agent, key):
    """A value for each name in an address."""
    talk = had(agent, "Hello", owner="keys")
    return {
        "run_id": talk.run_set.get().id,
        "slug": agent.slug,
        "number": 1,
        "key_id": key[0].id,
        "conversation_id": talk.id,
        "budget_id": budget_of(agent.organization),
        "rule_id": rule_of(agent.organization),
        **people_of(agent.organization),
    }


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda each: each.name)
def test_strangers_find_nothing_and_who_is_not_signed_in_has_to(client, pattern, names, charlie):
    where = address(pattern, "acme", names)
    allowed = [each for each in (client.get(where), client.post(where)) if each.status_code != 405]
    assert allowed and all(each.url.startswith("/accounts/login/") for each in allowed)
    client.force_login(charlie)
    for answer in (client.get(where), client.post(where)):
        assert answer.status_code in (404, 405)
    assert client.get(address(pattern, "nowhere", names)).status_code in (404, 405)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda each: each.name)
def test_a_role_without_the_scope_is_refused(client, pattern, names, acme):
    user = User.objects.create_user("some@example.com", "correct horse")
    member = Membership.objects.create(organization=acme, user=user, role=ROLES[0])
    client.force_login(user)
    where = address(pattern, "acme", names)
    for role in sorted(ROLES, key=lambda role: len(SCOPES_OF_ROLE[role])):
        member.role = role
        member.save(update_fields=["role"])
        answers = client.get(where), client.post(where)
        for answer, scope in zip(answers, pattern.callback.scopes, strict=True):
            allowed = scope in SCOPES_OF_ROLE[role]
            assert answer.status_code == 405 or (answer.status_code != 403) == allowed, role


@pytest.mark.parametrize("pattern", NAMING, ids=lambda each: each.name)
def test_names_of_another_organisation_are_unknown(
    client, pattern, alice, foreign_agent, foreign_key
):
    talk = had(foreign_agent, "Hello", owner="keys")
    foreign = {
        "run_id": talk.run_set.get().id,
        "slug": foreign_agent.slug,
        "number": 1,
        "key_id": foreign_key[0].id,
        "conversation_id": talk.id,
        "budget_id": budget_of(foreign_agent.organization),
        "rule_id": rule_of(foreign_agent.organization),
        **people_of(foreign_agent.organization),
    }
    client.force_login(alice)
    where = address(pattern, "acme", foreign)
    assert client.get(where).status_code in (404, 405)
    answer = client.post(where, {"role": "viewer"})
    assert answer.status_code in (404, 405)


def test_the_organisation_that_was_used_last_comes_back(client, alice, globex):
    Membership.objects.create(organization=globex, user=alice, role="viewer")
    client.force_login(alice)
    assert client.get("/console/").url == "/console/acme/"
    client.get("/console/globex/")
    assert client.get("/console/").url == "/console/globex/"


def test_nobody_without_an_organisation_has_a_console(client, alice):
    Membership.objects.all().delete()
    client.force_login(alice)
    assert "You belong to no organisation" in client.get("/console/").content.decode()


def test_the_page_has_a_policy_without_anything_inline(client, alice):
    client.force_login(alice)
    answer = client.get("/console/acme/")
    assert "unsafe" not in answer["Content-Security-Policy"]
    page = answer.content.decode()
    assert " style=" not in page and "<style" not in page and " onclick=" not in page
