"""`agents.auth.authorize`: who may ask which agent."""

from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.auth import identity, key_holders, keys
from agents.auth.authorize import authorize
from agents.caller import Address
from agents.models import Agent, ApiKey
from core.database import database_step
from engine.errors import ClawError
from tests.agents.signed import minted
from wire.errors import close_code_of, status_of


async def ask(token, *, origin=None, **address):
    return await authorize(token, address=Address(**address), origin=origin)


async def refusal(token, **request) -> ClawError:
    with pytest.raises(ClawError) as raised:
        await ask(token, **request)
    return raised.value


@pytest.fixture
def second_agent(agent):
    return Agent.objects.create(organization=agent.organization, slug="second", name="Second")


@pytest.fixture
def wide_token(agent, second_agent):
    """A key of acme that opens both of its agents."""
    return keys.create_key(agent.organization, name="wide")[1]


async def test_it_works(key, agent):
    row, token = key

    caller = await ask(token)

    assert (caller.principal.key_id, caller.principal.organization_id) == (
        row.id,
        agent.organization_id,
    )
    assert (caller.principal.owner, caller.principal.trusted) == ("keys", True)
    assert caller.require_agent().id == agent.id


@pytest.mark.parametrize("token", [None, ""])
async def test_without_a_token_authentication_is_required(token):
    assert (await refusal(token)).code == "auth_required"


async def test_the_message_for_an_unknown_key_tells_nothing(key):
    row, token = key
    await database_step(row.delete)

    for wrong in (token, "nonsense", "\ud800", "\x00", "ключ"):
        error = await refusal(wrong)
        assert (error.code, error.message) == ("invalid_token", "Invalid token")
        assert close_code_of(error) == 4001


async def test_an_expired_key_is_refused_also_when_cached(key):
    _, token = key
    soon = timezone.now() + timedelta(hours=1)
    await database_step(ApiKey.objects.update, expires_at=soon)
    assert (await ask(token)).principal.expires_at == soon

    await database_step(ApiKey.objects.update, expires_at=timezone.now())
    key_holders.forget_all()
    assert (await refusal(token)).code == "token_expired"


async def test_p22_a_revoked_key_is_refused(key):
    row, token = key
    await ask(token)
    await database_step(keys.revoke, row)

    assert (await refusal(token)).code == "key_revoked"


# --- which agent


async def test_host_path_and_id_name_the_agent(wide_token, agent, second_agent):
    for address in (
        *({"host_slug": "second"}, {"host_slug": "Second"}, {"path_slug": "second"}),
        *({"agent_id": "second"}, {"agent_id": second_agent.id}),
        {"host_slug": "second", "path_slug": "second", "agent_id": second_agent.id},
    ):
        assert (await ask(wide_token, **address)).require_agent().id == second_agent.id


async def test_two_agents_in_one_request_are_a_mismatch(wide_token, agent, second_agent):
    error = await refusal(wide_token, path_slug=agent.slug, agent_id=second_agent.id)

    assert (error.code, close_code_of(error)) == ("agent_mismatch", 4003)


async def test_several_agents_and_none_named_leaves_it_open(wide_token):
    caller = await ask(wide_token)

    assert caller.agent is None
    with pytest.raises(ClawError) as raised:
        caller.require_agent()
    assert raised.value.details == {"field": "agentId"}


async def test_p24_p25_a_foreign_agent_is_like_none(key, foreign_agent, second_agent):
    _, token = key
    for field in ("host_slug", "path_slug", "agent_id"):
        answers = {
            str(vars(await refusal(token, **{field: name})))
            for name in (foreign_agent.slug, second_agent.slug, "missing", "", "a\x00b", "\ud800")
        }
        assert len(answers) == 1
    by_id = await refusal(token, agent_id=foreign_agent.id)
    assert vars(by_id) == vars(await refusal(token, agent_id="agt_missing"))
    assert (by_id.code, close_code_of(by_id), status_of(by_id)) == ("agent_not_found", 4004, 404)


async def test_p25_a_foreign_agent_beside_an_own_one_is_not_found_either(key, agent, foreign_agent):
    foreign = await refusal(key[1], path_slug=agent.slug, agent_id=foreign_agent.slug)
    missing = await refusal(key[1], path_slug=agent.slug, agent_id="missing")

    assert vars(foreign) == vars(missing)
    assert foreign.code == "agent_not_found"


async def test_p24_a_foreign_key_opens_only_its_own(foreign_key, agent, foreign_agent):
    assert (await ask(foreign_key[1])).require_agent().id == foreign_agent.id
    assert (await refusal(foreign_key[1], agent_id=agent.id)).code == "agent_not_found"


# --- origins and scopes


async def test_origins_are_exact_where_a_key_has_some(key):
    _, token = key
    await database_step(ApiKey.objects.update, allowed_origins=["https://example.com"])

    assert (await ask(token, origin="https://example.com")).readable
    assert await ask(token, origin=None)
    for origin in ("https://example.com.evil.io", "http://example.com", "null", ""):
        error = await refusal(token, origin=origin)
        assert (error.code, status_of(error)) == ("forbidden", 403)


async def test_without_origins_any_is_fine(key):
    assert not (await ask(key[1], origin="https://anywhere.example")).readable


async def test_a_scope_that_the_key_lacks_is_forbidden(agent):
    _, token = await database_step(
        keys.create_key, agent.organization, name="reader", scopes=["conversations:read"]
    )
    caller = await ask(token)

    caller.principal.require("conversations:read")
    with pytest.raises(ClawError) as raised:
        caller.principal.require("chat")
    assert raised.value.code == "forbidden"


# --- cost


async def queries(token, **address) -> int:
    """How many queries one `authorize` makes, counted in the database thread."""
    counting = await database_step(
        lambda: CaptureQueriesContext(connections["default"]).__enter__()
    )
    await ask(token, **address)
    await database_step(counting.__exit__, None, None, None)
    return len(counting)


async def test_it_costs_two_queries_then_none(wide_token, agent, second_agent):
    assert await queries(wide_token) == 3  # with `last_used_at`, once a minute
    assert await queries(wide_token, path_slug=agent.slug) == 2
    assert await queries(wide_token, path_slug=agent.slug) == 0
    assert await queries(wide_token) == 0


async def test_its_cost_does_not_grow_with_the_agents(wide_token, acme):
    def more() -> None:
        for number in range(20):
            Agent.objects.create(organization=acme, slug=f"agent-{number}", name="x")

    await database_step(more)
    await ask(wide_token)
    key_holders.forget_all()

    assert await queries(wide_token, agent_id="agent-7") == 2


@pytest.mark.parametrize("scopes", [["chat"], []])
async def test_a_user_of_an_identity_secret_without_scopes_is_refused(agent, scopes):
    secret = await database_step(identity.new_secret, agent, frozenset(scopes))
    token = minted(secret, user_id="ada")
    if scopes:
        assert (await ask(token, host_slug=agent.slug)).principal.scopes == {"chat"}
    else:
        refused = await refusal(token, host_slug=agent.slug)
        assert (refused.code, "Make the secret again" in refused.message) == ("invalid_token", True)
