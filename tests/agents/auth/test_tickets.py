"""`agents.auth.tickets`: what opens one stream; the rest is in tests/live/test_tickets.py."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.auth import tickets
from agents.caller import Address, Caller
from agents.models import StreamTicket
from core.database import database_step
from engine.errors import ClawError
from tests.agents.callers import caller_of
from tests.database import everything_stored

ASKED = {"message": "a secret question", "merge": True}


@pytest.fixture
def holder(agent, key) -> Caller:
    return caller_of(key[0], agent)


async def redeem(token):
    return await tickets.redeem(token, address=Address(), origin=None)


async def test_it_works(agent, holder):
    token, _ = await database_step(tickets.make, holder, agent.id, None, ASKED)
    caller, ticket = await redeem(token)
    assert caller.identity == holder.identity
    assert (ticket.subject, ticket.fresh, ticket.opened) == (ASKED, True, False)

    await tickets.note_opened(ticket, "run_1")
    _, again = await redeem(token)
    assert (again.run_id, again.opened, again.subject) == ("run_1", True, {"merge": True})


async def test_p30_neither_the_ticket_nor_what_it_has_asked_is_kept(agent, holder):
    token, _ = await database_step(tickets.make, holder, agent.id, None, ASKED)
    _, ticket = await redeem(token)
    await tickets.note_opened(ticket, "run_1")
    stored = await database_step(everything_stored)
    assert token not in stored and "secret question" not in stored


async def test_what_has_expired_is_refused_and_purged(agent, holder):
    token, _ = await database_step(tickets.make, holder, agent.id, None, ASKED)
    await database_step(StreamTicket.objects.update, expires_at=timezone.now())
    with pytest.raises(ClawError) as raised:
        await redeem(token)
    assert raised.value.code == "token_expired"
    assert await database_step(tickets.purge) == 1


async def test_an_opened_one_is_kept_as_long_as_its_run_can_be_followed(agent, holder):
    token, _ = await database_step(tickets.make, holder, agent.id, None, ASKED)
    _, ticket = await redeem(token)
    await tickets.note_opened(ticket, "run_1")
    await database_step(StreamTicket.objects.update, expires_at=timezone.now())
    assert await database_step(tickets.purge) == 0
    _, late = await redeem(token)
    assert not late.fresh

    old = timezone.now() - tickets.kept() - timedelta(seconds=1)
    await database_step(StreamTicket.objects.update, created_at=old)
    with pytest.raises(ClawError):
        await redeem(token)
    assert await database_step(tickets.purge) == 1


@pytest.mark.parametrize("token", ["", "x", "claw_ticket_x", "\0", "\ud800", "a.b.c"])
async def test_nonsense_is_no_ticket(transactional_db, token):
    with pytest.raises(ClawError) as raised:
        await redeem(token)
    assert raised.value.code == "invalid_token"
