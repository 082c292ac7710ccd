"""`agents.auth.members`: members of an organisation, by their session."""

from dataclasses import replace

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from accounts.models import Membership, User
from agents.auth import members
from agents.auth.authorize import authorize
from agents.auth.members import Session
from agents.caller import Address
from agents.models import Agent
from agents.principal import Kind
from core.database import database_step
from engine.errors import ClawError

CONSOLE = "https://claw.example"
HERE = Address(site=CONSOLE)


def signed_in(user: User) -> Session:
    """A session of this person, as Django's own `login` leaves it."""
    store = SessionStore()
    store[SESSION_KEY] = user.pk
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return Session(key=store.session_key, safe=True)


@pytest.fixture
def session(alice, agent) -> Session:
    return signed_in(alice)


async def ask(session: Session, address: Address = HERE, origin: str | None = None):
    return await authorize(session, address=address, origin=origin)


async def code(session: Session, address: Address = HERE, origin: str | None = None) -> str:
    with pytest.raises(ClawError) as raised:
        await ask(session, address, origin)
    return raised.value.code


async def test_it_works(session, alice, agent):
    caller = await ask(session)
    who = caller.principal
    assert (who.kind, who.organization_id) == (Kind.MEMBER, agent.organization_id)
    assert (who.owner, who.key_id, who.trusted) == (f"member:{alice.id}", None, True)
    assert caller.require_agent().id == agent.id


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("owner", {"admin", "keys:write", "chat"}, set()),
        ("admin", {"admin", "keys:write", "chat"}, set()),
        ("member", {"agents:write", "chat", "monitor:write"}, {"admin", "keys:write"}),
        ("viewer", {"agents:read", "monitor:read"}, {"agents:write", "chat", "monitor:write"}),
    ],
)
async def test_a_role_has_scopes(session, role, may, may_not):
    await database_step(Membership.objects.update, role=role)
    scopes = (await ask(session)).principal.scopes
    assert may <= scopes
    assert not may_not & scopes


def test_every_role_is_known():
    assert set(members.SCOPES_OF_ROLE) == set(Membership.Role)


async def test_a_stranger_s_agent_is_like_none(session, foreign_agent):
    for name in (foreign_agent.slug, foreign_agent.id, "missing"):
        assert await code(session, replace(HERE, path_slug=name)) == "agent_not_found"


async def test_who_is_not_signed_in_is_told_to(session, alice):
    assert await code(Session(key="nonsense", safe=True)) == "auth_required"
    assert await code(Session(key="\0", safe=True)) == "auth_required"
    await database_step(lambda: User.objects.filter(pk=alice.pk).update(is_active=False))
    assert await code(session) == "auth_required"


async def test_a_new_password_ends_the_session(session, alice):
    def change() -> None:
        alice.set_password("another one")
        alice.save()

    await database_step(change)
    assert await code(session) == "auth_required"


async def test_a_role_that_ends_or_changes_is_seen_at_once(session, alice):
    before = (await ask(session)).principal
    await database_step(Membership.objects.update, role="viewer")
    after = (await ask(session)).principal
    assert before.scopes > after.scopes
    assert await members.look_again([after.id]) == {after.id: after.version}
    assert after.version != before.version
    await database_step(lambda: Membership.objects.all().delete())
    assert await code(session) == "forbidden"
    assert await members.look_again([after.id]) == {after.id: None}


# --- which organisation


async def test_a_member_of_several_names_the_organisation(session, alice, globex, foreign_agent):
    assert await code(replace(session, organization="globex")) == "not_found"
    assert await code(replace(session, organization="no\0ne")) == "not_found"
    await database_step(
        lambda: Membership.objects.create(organization=globex, user=alice, role="viewer")
    )
    theirs = await ask(replace(session, organization="globex"))
    assert theirs.principal.organization_id == globex.id
    assert theirs.require_agent().id == foreign_agent.id
    again = await ask(session)  # the one that was used last
    assert again.principal.organization_id == globex.id


# --- which page


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://claw.example"])
async def test_a_change_needs_the_console_s_own_origin(session, origin):
    changing = replace(session, safe=False)
    assert await code(changing, origin=origin) == "forbidden"
    assert await ask(changing, origin=CONSOLE)


@pytest.mark.parametrize(
    ("origin", "fetch_site", "fits"),
    [
        (None, None, True),
        (None, "none", True),
        (CONSOLE, "same-origin", True),
        (None, "cross-site", False),
        (None, "same-site", False),
        ("https://evil.example", None, False),
        (CONSOLE, "cross-site", False),
    ],
)
async def test_a_look_needs_no_origin_but_no_foreign_one(session, origin, fetch_site, fits):
    looking = replace(session, fetch_site=fetch_site)
    if fits:
        assert await ask(looking, origin=origin)
    else:
        assert await code(looking, origin=origin) == "forbidden"


async def test_several_agents_and_none_named_leaves_it_open(session, acme):
    await database_step(lambda: Agent.objects.create(organization=acme, slug="two", name="Two"))
    assert (await ask(session)).agent is None
