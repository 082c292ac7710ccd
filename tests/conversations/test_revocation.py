"""`conversations.revocation`: what a key has open ends soon after the key does."""

import asyncio
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.database import database_step
from agents import keys
from agents.models import ApiKey
from conversations.connections import Connections
from conversations.revocation import Revocation
from engine.errors import ClawError
from tests.conversations.parts import ENDLESS, QUICK, reload


class Socket:
    """A connection that remembers why it was cut."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        self.cut_by: ClawError | None = None
        self.was_cut = asyncio.Event()

    def cut(self, error: ClawError) -> None:
        self.cut_by = error
        self.was_cut.set()

    def announce_shutdown(self) -> None:
        """Nobody shuts down here."""


@pytest.fixture
def connections() -> Connections:
    return Connections()


@pytest.fixture
def revocation(parts, connections) -> Revocation:
    return Revocation(connections, parts.dispatcher)


async def test_it_works(parts, caller, foreign_caller, key, connections, revocation):
    mine, theirs = Socket(caller.key_id), Socket(foreign_caller.key_id)
    connections.add(mine)
    connections.add(theirs)
    run = await parts.start(caller, ENDLESS)
    await parts.reach(run, "token")
    await revocation.sweep()
    assert mine.cut_by is None

    await database_step(keys.revoke, key[0])
    await revocation.sweep()
    row = await parts.ended(run)

    assert mine.cut_by.code == "key_revoked"
    assert theirs.cut_by is None
    assert (row.status, row.error["code"]) == ("failed", "key_revoked")
    assert row.message.content


async def test_what_waits_ends_too_and_another_key_s_runs_go_on(
    parts, caller, foreign_caller, key, revocation
):
    runs = [await parts.start(caller, ENDLESS, conversation_id="abc") for _ in range(3)]
    theirs = await parts.start(foreign_caller, QUICK)
    await parts.reach(runs[0], "token")
    await database_step(keys.revoke, key[0])
    await revocation.sweep()

    for run in runs:
        assert (await parts.ended(run)).error["code"] == "key_revoked"
    assert (await parts.ended(theirs)).status == "completed"


async def test_an_expired_key_says_so(caller, key, connections, revocation):
    socket = Socket(caller.key_id)
    connections.add(socket)

    def expire() -> None:
        moment = timezone.now() - timedelta(seconds=1)
        ApiKey.objects.filter(pk=key[0].pk).update(expires_at=moment)

    await database_step(expire)
    await revocation.sweep()
    assert socket.cut_by.code == "token_expired"


async def test_a_deleted_key_is_a_revoked_one(parts, caller, key, connections, revocation):
    socket = Socket(caller.key_id)
    connections.add(socket)
    await database_step(key[0].delete)
    await revocation.sweep()

    assert socket.cut_by.code == "key_revoked"


async def test_p22_within_a_second_without_being_asked(caller, key, connections, revocation):
    socket = Socket(caller.key_id)
    connections.add(socket)
    revocation.start()
    await database_step(keys.revoke, key[0])
    await asyncio.wait_for(socket.was_cut.wait(), 1)
    await revocation.stop()


async def test_a_sweep_with_nothing_open_asks_nothing(revocation, transactional_db):
    keys.forget_all()
    await revocation.sweep()


async def test_a_run_that_has_ended_stays_as_it_is(parts, caller, key, revocation):
    run = await parts.start(caller, QUICK)
    row = await parts.ended(run)
    await database_step(keys.revoke, key[0])
    await revocation.sweep()

    assert (await database_step(reload, run)).status == row.status == "completed"
