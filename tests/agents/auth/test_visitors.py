"""`agents.auth.visitors`, `agents.public.visited`: visitors, and the agent that they meet."""

import time
from datetime import timedelta

import jwt
import pytest
from django.utils import timezone

from agents.auth import authorize, identity, keys, visitor_tokens, visitors
from agents.caller import Address
from agents.models import Agent
from agents.principal import Kind
from agents.public import visited
from core.database import database_step
from engine.errors import ClawError
from tests.agents.signed import minted, resigned, unsigned
from wire.errors import close_code_of, status_of

SHOP = "https://shop.example"
HOME = "http://helper.localhost:8000"
OWN_HOST = Address(host_slug="helper", site=HOME)
PATH = Address(path_slug="helper", site="http://127.0.0.1:8000")


@pytest.fixture
def agent(agent) -> Agent:
    """Acme's agent, for the visitors of its shop."""
    agent.allowed_origins = [SHOP, "https://*.example.com"]
    agent.save()
    return agent


@pytest.fixture
def second(agent) -> Agent:
    """Another of acme's, for the same pages."""
    return Agent.objects.create(
        organization=agent.organization, slug="second", name="x", allowed_origins=[SHOP]
    )


async def meet(agent) -> visited.VisitedAgent:
    found = await visited.find([agent.id])
    assert found is not None
    return found


async def token_for(agent, visitor_id=None, origin=SHOP) -> str:
    return visitor_tokens.issue(await meet(agent), visitor_id or visitors.new_visitor(), origin)[0]


async def ask(token, address=PATH, origin=SHOP):
    return await authorize.authorize(token, address=address, origin=origin)


async def refusal(token, address=PATH, origin=SHOP) -> ClawError:
    with pytest.raises(ClawError) as raised:
        await ask(token, address, origin)
    return raised.value


async def test_it_works(agent):
    caller = await ask(await token_for(agent, "anon:abc"))

    who = caller.principal
    assert (who.kind, who.owner, who.trusted) == (Kind.VISITOR, "visitor:abc", False)
    assert caller.principal.scopes == {"chat", "conversations:read", "conversations:write"}
    assert caller.require_agent().id == agent.id and caller.readable
    left = caller.principal.expires_at - timezone.now()
    assert timedelta(seconds=890) < left <= timedelta(seconds=900)
    with pytest.raises(ClawError):
        caller.principal.require("agents:read")


async def test_the_token_alone_names_the_agent(agent):
    assert (await ask(await token_for(agent), Address())).require_agent().id == agent.id


async def test_p26_only_from_the_page_that_it_was_given_to(agent):
    token = await token_for(agent)
    for origin in (None, "null", "", "http://shop.example", f"{SHOP}.evil.io", f"{SHOP}:8443"):
        assert (await refusal(token, origin=origin)).code == "forbidden"
    # Another page that the agent allows: allowed, but it is not the one that has this token.
    assert (await refusal(token, origin="https://a.example.com")).code == "forbidden"


async def test_p26_a_page_that_is_no_longer_allowed_is_refused(agent):
    token = await token_for(agent)
    await database_step(Agent.objects.update, allowed_origins=["https://other.example"])
    visited.forget_all()
    assert (await refusal(token)).code == "forbidden"


async def test_another_agent_is_like_none(agent, second, foreign_agent):
    token = await token_for(agent)
    answers = {
        str(vars(await refusal(token, Address(path_slug=name))))
        for name in (second.slug, foreign_agent.slug, "missing", "a\0b", "\ud800", "")
    }
    assert len(answers) == 1
    error = await refusal(token, Address(host_slug="second"))
    assert (error.code, status_of(error), close_code_of(error)) == ("agent_not_found", 404, 4004)
    mixed = Address(host_slug="helper", path_slug="second")
    assert (await refusal(token, mixed)).code == "agent_not_found"


async def test_an_agent_that_is_gone_or_welcomes_nobody_is_like_none(agent, second):
    token, other = await token_for(agent), await token_for(second)
    await database_step(second.delete)
    await database_step(Agent.objects.update, allowed_origins=[])
    visited.forget_all()
    assert (await refusal(token, Address())).code == "agent_not_found"
    assert (await refusal(other, Address())).code == "agent_not_found"


async def test_hostile_tokens_are_refused(agent, second, settings):
    good = await token_for(agent)
    secret = visitor_tokens._keys()[0]
    claims = jwt.decode(good, secret, algorithms=["HS256"], audience=agent.id)
    mine = {**claims, "sub": "anon:somebody-else"}
    wrong = [
        unsigned(good),
        resigned(good, sub="user:1"),
        resigned(good, aud=second.id),
        minted("another-secret-key-another-secret-key", **mine),
        minted(settings.SECRET_KEY + "x" * 32, **mine),
        minted(secret, **claims | {"iat": int(time.time()) + 3600}),
        minted(secret, **claims | {"origin": None}),
        good + "A" * 9000,
        good + "\0",
        good.replace(".", ".\0"),
    ]
    for token in wrong:
        error = await refusal(token)
        assert (error.code, close_code_of(error)) == ("invalid_token", 4001), token
    assert await ask(good)


async def test_an_expired_token_is_told_so(agent, settings):
    settings.CLAW_VISITOR_TTL = -1
    assert (await refusal(await token_for(agent))).code == "token_expired"


async def test_the_secret_key_may_be_rotated(agent, settings):
    token, before = await token_for(agent), settings.SECRET_KEY
    settings.SECRET_KEY = "quite another one"
    assert (await refusal(token)).code == "invalid_token"
    settings.SECRET_KEY_FALLBACKS = [before]
    assert await ask(token)


# --- the agent's own page


async def test_its_own_page_is_allowed_while_it_is_public(agent):
    await database_step(Agent.objects.update, public_page=True, allowed_origins=[])
    visited.forget_all()
    token = await token_for(agent, origin=HOME)

    assert await ask(token, OWN_HOST, HOME)
    # Browsers say nothing on a GET to the page's own host but this.
    same = Address(host_slug="helper", site=HOME, same_origin=True)
    assert await ask(token, same, None)
    assert (await refusal(token, OWN_HOST, None)).code == "forbidden"
    # The same words at another host prove nothing.
    for address in (PATH, Address(host_slug="helper", site="https://helper.localhost:8000")):
        assert (await refusal(token, address, HOME)).code == "forbidden"

    await database_step(Agent.objects.update, public_page=False, allowed_origins=[SHOP])
    visited.forget_all()
    assert (await refusal(token, OWN_HOST, HOME)).code == "forbidden"


async def test_a_wildcard_of_agent_hosts_is_not_implied(agent):
    await database_step(Agent.objects.update, public_page=True)
    visited.forget_all()
    found = await meet(agent)
    assert not found.allows("http://second.localhost:8000", OWN_HOST)
    assert not found.allows("http://localhost:8000", OWN_HOST)


# --- renewing


async def test_a_token_is_renewed_for_thirty_days(agent, settings):
    settings.CLAW_VISITOR_TTL = -(visitor_tokens.RENEWABLE - 60)
    known = visitor_tokens.read(await token_for(agent, "anon:a"), renewing=True)
    assert known.visitor_id == "anon:a"
    settings.CLAW_VISITOR_TTL = -(visitor_tokens.RENEWABLE + 60)
    with pytest.raises(ClawError) as raised:
        visitor_tokens.read(await token_for(agent), renewing=True)
    assert raised.value.code == "token_expired"


# --- users whom the organisation recognises


async def test_a_user_is_vouched_for_by_the_secret_of_now(agent):
    await database_step(identity.new_secret, agent)
    token = await token_for(agent, visitors.user("42"))
    assert (await ask(token)).principal.owner == "user:42"

    await database_step(identity.new_secret, agent)
    assert (await refusal(token)).code == "invalid_token"


async def test_the_organisation_s_own_token_is_good_without_a_session(agent, second):
    secret = await database_step(identity.new_secret, agent)
    token = minted(secret, user_id="42")

    caller = await ask(token, origin=None)
    assert (caller.principal.owner, caller.readable) == ("user:42", False)
    assert (await ask(token)).readable
    assert (await refusal(token, origin="https://evil.io")).code == "forbidden"
    for address in (Address(), Address(path_slug="second"), Address(path_slug="missing")):
        error = await refusal(token, address)
        assert (error.code, close_code_of(error)) == ("invalid_token", 4001)


async def test_an_end_beyond_the_calendar_is_no_error_of_ours(agent):
    secret = await database_step(identity.new_secret, agent)
    for moment in (10**12, 10**18, 10**400):
        error = await refusal(minted(secret, user_id="42", exp=moment))
        assert (error.code, close_code_of(error)) == ("invalid_token", 4001)
    late = await ask(minted(secret, user_id="42", exp=253_370_764_799))
    assert late.principal.owner == "user:42"


async def test_p25_an_agent_without_a_secret_is_like_none(agent):
    token = minted("s" * 43, user_id="42")
    missing = await refusal(token, Address(path_slug="missing"))
    assert vars(missing) == vars(await refusal(token))


async def test_a_key_is_no_visitor(agent):
    _, token = await database_step(keys.create_key, agent.organization, name="k", agents=[agent])
    assert (await ask(token)).principal.owner == "keys"
