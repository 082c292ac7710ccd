"""`conversations.transports.admission`: what the doors ask before they let anybody in."""

from dataclasses import replace

import pytest

from agents.auth import identity
from agents.caller import Address
from conversations.limits.memory import MemoryLimits
from conversations.transports import admission
from core.database import database_step
from engine.errors import ClawError
from tests.agents.callers import allowed, visitor_of
from tests.agents.signed import minted
from wire.errors import close_code_of, status_of


@pytest.fixture
def limits() -> MemoryLimits:
    return MemoryLimits()


async def refused(awaitable) -> ClawError:
    with pytest.raises(ClawError) as raised:
        await awaitable
    return raised.value


async def knock(limits, token: str | None, client: str = "127.0.0.1"):
    return await admission.identify(limits, token, address=Address(), origin=None, client=client)


async def test_it_works(limits, key):
    row, token = key
    assert (await knock(limits, token)).principal.key_id == row.id


async def test_p23_an_address_may_fail_ten_times_and_a_valid_key_is_still_welcome(limits, key):
    for _ in range(10):
        assert (await refused(knock(limits, "claw_wrong"))).code == "invalid_token"
    error = await refused(knock(limits, "claw_wrong"))

    assert (error.code, 0 < error.retry_after <= 60_000) == ("rate_limited", True)
    assert (await knock(limits, key[1])).principal.key_id == key[0].id
    assert (await refused(knock(limits, "claw_wrong", "127.0.0.2"))).code == "invalid_token"


@pytest.mark.parametrize("claims", [{"exp": 10**13}, {"nbf": 10**10}, {"user_id": ""}])
async def test_who_signs_with_the_right_key_does_not_guess(limits, agent, claims):
    secret = await database_step(identity.new_secret, agent)
    token = minted(secret, **{"user_id": "ada"} | claims)
    for _ in range(11):
        asking = admission.identify(
            limits, token, address=Address(path_slug=agent.slug), origin=None, client="a"
        )
        assert (await refused(asking)).code == "invalid_token"


async def test_who_brings_no_credential_is_not_counted(limits):
    for _ in range(11):
        assert (await refused(knock(limits, None))).code == "auth_required"


async def test_a_key_s_own_rate_is_kept(limits, caller):
    slow = allowed(caller, requests_per_minute=2)
    await admission.count_request(limits, slow)
    await admission.count_request(limits, slow)

    assert (await refused(admission.count_request(limits, slow))).code == "rate_limited"
    for _ in range(3):
        await admission.count_request(limits, caller)  # it has none


async def test_p17_an_agent_has_so_many_sockets(limits, caller, settings):
    settings.CLAW_MAX_CONNECTIONS_PER_AGENT = 2
    names = [await admission.take_socket(limits, caller) for _ in range(2)]
    error = await refused(admission.take_socket(limits, caller))
    assert (error.code, close_code_of(error)) == ("too_many_connections", 4029)
    assert error.retry_after > 0

    await admission.release(limits, *names[0])
    await admission.take_socket(limits, caller)


async def test_sockets_streams_and_strangers_have_places_of_their_own(limits, caller, settings):
    settings.CLAW_MAX_CONNECTIONS_PER_AGENT = settings.CLAW_MAX_STREAMS_PER_AGENT = 1
    settings.CLAW_MAX_UNAUTHENTICATED_PER_ADDRESS = 1
    taken = {
        await admission.take_socket(limits, caller),
        await admission.take_stream(limits, caller, caller.agent.id),
        await admission.take_unauthenticated(limits, "127.0.0.1"),
    }
    assert len(taken) == 3
    assert status_of(await refused(admission.take_stream(limits, caller, caller.agent.id))) == 429


# --- visitors


@pytest.fixture
def visitor(caller):
    """One of the agent's visitors, who may send three messages a minute."""
    visitor = replace(visitor_of(caller, "visitor:a"), client="192.0.2.1")
    return allowed(visitor, messages_per_minute=3, messages_per_day=5)


async def test_c29_who_is_refused_takes_nothing_of_the_others(limits, visitor, settings):
    settings.CLAW_VISITOR_MESSAGES_PER_AGENT = 5
    for _ in range(3):
        await admission.count_message(limits, visitor)
    for _ in range(9):
        assert (await refused(admission.count_message(limits, visitor))).code == "rate_limited"
    other = replace(visitor_of(visitor, "visitor:b"), client="192.0.2.2")
    for _ in range(2):
        await admission.count_message(limits, other)
    assert (
        await refused(admission.count_message(limits, other))
    ).code == "rate_limited"  # all of them together


async def test_a_new_visitor_of_the_same_address_is_no_way_around(limits, visitor, settings):
    settings.CLAW_VISITOR_MESSAGES_PER_ADDRESS = 4
    for number in range(4):
        await admission.count_message(limits, visitor_of(visitor, f"visitor:{number}"))
    fresh = visitor_of(visitor, "visitor:fresh")
    assert (await refused(admission.count_message(limits, fresh))).code == "rate_limited"
    await admission.count_message(limits, replace(fresh, client="192.0.2.2"))


async def test_a_visitor_has_a_day_too(limits, visitor):
    eager = allowed(visitor, messages_per_minute=100)
    for _ in range(5):
        await admission.count_message(limits, eager)
    assert (await refused(admission.count_message(limits, eager))).retry_after > 86_000_000


async def test_a_key_is_no_visitor(limits, caller):
    for _ in range(200):
        await admission.count_message(limits, caller)


async def test_a_visitor_s_places_are_given_back_where_there_is_none_for_all(
    limits, visitor, settings
):
    settings.CLAW_VISITOR_CONNECTIONS = 2
    settings.CLAW_MAX_CONNECTIONS_PER_AGENT = 1
    slots = await admission.take_socket(limits, visitor)
    for _ in range(5):  # no place of the agent's is left, and none of the visitor's is lost
        assert (
            await refused(admission.take_socket(limits, visitor))
        ).code == "too_many_connections"
    await admission.release(limits, *slots)
    settings.CLAW_MAX_CONNECTIONS_PER_AGENT = 9
    for _ in range(2):
        await admission.take_socket(limits, visitor)
    assert (await refused(admission.take_socket(limits, visitor))).code == "too_many_connections"
    await admission.take_socket(limits, visitor_of(visitor, "visitor:b"))


# --- names and addresses


async def test_no_user_is_named_so_that_another_is_locked_out(limits, visitor):
    """The day of `x` and the minute of `x:day` were one window."""
    day = allowed(visitor_of(visitor, "user:x:day"), messages_per_minute=1)
    await admission.count_message(
        limits, allowed(visitor_of(visitor, "user:x"), messages_per_day=9)
    )
    await admission.count_message(limits, day)
    assert (await refused(admission.count_message(limits, day))).code == "rate_limited"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2001:db8::1", "2001:db8::2"),
        ("2001:db8:0:0::1", "[2001:0DB8::ffff:1]:4711"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
        ("192.0.2.9", "192.0.2.9:4711"),
    ],
)
async def test_another_address_of_the_same_subscriber_is_no_way_around(
    limits, agent, visitor, settings, first, second
):
    settings.CLAW_FAILED_AUTH_PER_MINUTE = 1
    settings.CLAW_VISITOR_SESSIONS_PER_ADDRESS = 1
    settings.CLAW_VISITOR_MESSAGES_PER_ADDRESS = 1
    settings.CLAW_VISITOR_CONNECTIONS_PER_ADDRESS = 1
    settings.CLAW_MAX_UNAUTHENTICATED_PER_ADDRESS = 1
    one = replace(visitor, client=first)
    other = replace(visitor_of(visitor, "visitor:b"), client=second)
    await admission.count_failure(limits, first)
    await admission.count_visitor(limits, one.agent, first)
    await admission.count_message(limits, one)
    await admission.take_socket(limits, one)
    await admission.take_stream(limits, one, one.agent.id)
    await admission.take_unauthenticated(limits, first)
    for again in (
        admission.count_failure(limits, second),
        admission.count_visitor(limits, other.agent, second),
        admission.count_message(limits, other),
        admission.take_socket(limits, other),
        admission.take_stream(limits, other, other.agent.id),
        admission.take_unauthenticated(limits, second),
    ):
        assert status_of(await refused(again)) == 429
