"""`conversations.limits.doors`: what the doors ask before they let anybody in."""

from dataclasses import replace

import pytest

from agents.caller import Address
from conversations import wiring
from conversations.limits import doors
from engine.errors import ClawError


@pytest.fixture(autouse=True)
async def services(tmp_path, settings, transactional_db):
    settings.CLAW_DATA_DIR = tmp_path / "runs"
    yield await wiring.start()
    await wiring.stop(0)


async def refused(awaitable) -> ClawError:
    with pytest.raises(ClawError) as raised:
        await awaitable
    return raised.value


async def knock(token: str | None, client: str = "127.0.0.1"):
    return await doors.identify(token, address=Address(), origin=None, client=client)


async def test_it_works(key):
    row, token = key
    assert (await knock(token)).key_id == row.id


async def test_p23_an_address_may_fail_ten_times_and_a_valid_key_is_still_welcome(key):
    for _ in range(10):
        assert (await refused(knock("claw_wrong"))).code == "invalid_token"
    error = await refused(knock("claw_wrong"))

    assert (error.code, 0 < error.retry_after <= 60_000) == ("rate_limited", True)
    assert (await knock(key[1])).key_id == key[0].id
    assert (await refused(knock("claw_wrong", "127.0.0.2"))).code == "invalid_token"


async def test_who_brings_no_credential_is_not_counted():
    for _ in range(11):
        assert (await refused(knock(None))).code == "auth_required"


async def test_a_key_s_own_rate_is_kept(caller):
    slow = replace(caller, requests_per_minute=2)
    await doors.count_request(slow)
    await doors.count_request(slow)

    assert (await refused(doors.count_request(slow))).code == "rate_limited"
    for _ in range(3):
        await doors.count_request(caller)  # it has none


async def test_p17_an_agent_has_so_many_sockets(caller, settings):
    settings.CLAW_MAX_CONNECTIONS_PER_AGENT = 2
    names = [await doors.take_socket(caller) for _ in range(2)]
    error = await refused(doors.take_socket(caller))
    assert (error.code, error.close_code) == ("too_many_connections", 4029)
    assert error.retry_after > 0

    await doors.release(*names[0])
    await doors.take_socket(caller)


async def test_sockets_streams_and_strangers_have_places_of_their_own(caller, settings):
    settings.CLAW_MAX_CONNECTIONS_PER_AGENT = settings.CLAW_MAX_STREAMS_PER_AGENT = 1
    settings.CLAW_MAX_UNAUTHENTICATED_PER_ADDRESS = 1
    taken = {
        await doors.take_socket(caller),
        await doors.take_stream(caller, caller.agent.id),
        await doors.take_unauthenticated("127.0.0.1"),
    }
    assert len(taken) == 3
    assert (await refused(doors.take_stream(caller, caller.agent.id))).status == 429


# --- visitors


@pytest.fixture
def visitor(caller):
    """One of the agent's visitors, who may send three messages a minute."""
    return replace(
        caller,
        key_id=None,
        owner="visitor:a",
        trusted=False,
        client="192.0.2.1",
        messages_per_minute=3,
        messages_per_day=5,
    )


async def test_c29_who_is_refused_takes_nothing_of_the_others(visitor, settings):
    settings.CLAW_VISITOR_MESSAGES_PER_AGENT = 5
    for _ in range(3):
        await doors.count_message(visitor)
    for _ in range(9):
        assert (await refused(doors.count_message(visitor))).code == "rate_limited"
    other = replace(visitor, owner="visitor:b", client="192.0.2.2")
    for _ in range(2):
        await doors.count_message(other)
    assert (
        await refused(doors.count_message(other))
    ).code == "rate_limited"  # all of them together


async def test_a_new_visitor_of_the_same_address_is_no_way_around(visitor, settings):
    settings.CLAW_VISITOR_MESSAGES_PER_ADDRESS = 4
    for number in range(4):
        await doors.count_message(replace(visitor, owner=f"visitor:{number}"))
    fresh = replace(visitor, owner="visitor:fresh")
    assert (await refused(doors.count_message(fresh))).code == "rate_limited"
    await doors.count_message(replace(fresh, client="192.0.2.2"))


async def test_a_visitor_has_a_day_too(visitor):
    eager = replace(visitor, messages_per_minute=100)
    for _ in range(5):
        await doors.count_message(eager)
    assert (await refused(doors.count_message(eager))).retry_after > 86_000_000


async def test_a_key_is_no_visitor(caller):
    for _ in range(200):
        await doors.count_message(caller)


async def test_a_visitor_s_places_are_given_back_where_there_is_none_for_all(visitor, settings):
    settings.CLAW_VISITOR_CONNECTIONS = 2
    settings.CLAW_MAX_CONNECTIONS_PER_AGENT = 1
    slots = await doors.take_socket(visitor)
    for _ in range(5):  # no place of the agent's is left, and none of the visitor's is lost
        assert (await refused(doors.take_socket(visitor))).code == "too_many_connections"
    await doors.release(*slots)
    settings.CLAW_MAX_CONNECTIONS_PER_AGENT = 9
    for _ in range(2):
        await doors.take_socket(visitor)
    assert (await refused(doors.take_socket(visitor))).code == "too_many_connections"
    await doors.take_socket(replace(visitor, owner="visitor:b"))
