"""`conversations.transports.ws.identity`: the caller of one socket, without a database."""

from dataclasses import replace

import pytest

from agents.caller import Address, Caller
from conversations.transports.ws.identity import SocketIdentity
from engine.errors import ClawError, Unavailable
from tests.agents.callers import having
from tests.conversations.transports.doors import Doors, caller


def identity_of(doors: Doors, known: Caller | None = None) -> SocketIdentity:
    """Of a socket whose caller is known already, or of a stranger's."""
    identity = SocketIdentity(
        doors.limits, "192.0.2.1", None, lambda agent_id: Address(agent_id=agent_id)
    )
    identity.caller = known
    return identity


def deriving(outcome: Caller | ClawError) -> Caller:
    """A caller whose next look gives this."""

    async def again() -> Caller:
        if isinstance(outcome, ClawError):
            raise outcome
        return outcome

    return replace(caller(), again=again)


async def code(awaitable) -> str:
    with pytest.raises(ClawError) as raised:
        await awaitable
    return raised.value.code


async def test_it_works() -> None:
    later = having(caller(), scopes=frozenset({"chat"}))
    identity = identity_of(Doors(), deriving(later))
    assert await identity.look() is later
    assert identity.known() is later
    assert await identity.addressed(None) is later


async def test_a_stranger_may_nothing() -> None:
    identity = identity_of(Doors())
    for asking in (identity.look(), identity.addressed(None), identity.addressed("helper")):
        assert await code(asking) == "auth_required"


async def test_who_is_refused_is_no_longer_known() -> None:
    identity = identity_of(Doors(), deriving(ClawError("key_revoked", "-")))
    assert await code(identity.look()) == "key_revoked"
    assert identity.caller is None


async def test_who_cannot_be_looked_up_now_stays_known() -> None:
    known = deriving(Unavailable("-"))
    identity = identity_of(Doors(), known)
    assert await code(identity.look()) == "unavailable"
    assert identity.caller is known


async def test_the_place_of_a_stranger_is_given_back(settings) -> None:
    settings.CLAW_MAX_UNAUTHENTICATED_PER_ADDRESS = 1
    doors = Doors()
    first, second = identity_of(doors), identity_of(doors)
    await first.enter()
    assert await code(second.enter()) == "too_many_connections"
    await first.release()
    await second.enter()
