"""`conversations.process.revocation`: what a key has open ends soon after the key does."""

import asyncio
from datetime import timedelta

import pytest
from django.utils import timezone

from agents.auth import key_holders, keys
from agents.auth.authorize import authorize
from agents.caller import Address, Caller
from agents.models import ApiKey
from conversations.process.connections import Connections
from conversations.process.revocation import Revocation
from core.database import database_step
from engine.errors import ClawError
from tests.conversations.parts import ENDLESS, QUICK, reload


class Socket:
    """A connection that remembers why it was cut."""

    def __init__(self, caller: Caller, token: str) -> None:
        self.caller, self._token = caller, token
        self.cut_by: ClawError | None = None
        self.was_cut = asyncio.Event()
        self.looks = 0

    async def look_again(self) -> None:
        """Who has the key now."""
        self.looks += 1
        self.caller = await authorize(self._token, address=Address(), origin=None)

    def cut(self, error: ClawError) -> None:
        self.cut_by = error
        self.was_cut.set()

    def announce_shutdown(self) -> None:
        """Nobody shuts down here."""


@pytest.fixture
async def mine(key, connections) -> Socket:
    """Opened with acme's key."""
    return await opened(key, connections)


async def opened(key: tuple[ApiKey, str], connections: Connections) -> Socket:
    socket = Socket(await authorize(key[1], address=Address(), origin=None), key[1])
    connections.add(socket)
    return socket


@pytest.fixture
def connections() -> Connections:
    return Connections()


@pytest.fixture
def revocation(parts, connections) -> Revocation:
    return Revocation(connections, parts.dispatcher)


async def test_it_works(parts, caller, key, mine, foreign_key, connections, revocation):
    theirs = await opened(foreign_key, connections)
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


async def test_an_expired_key_says_so(key, mine, revocation):
    def expire() -> None:
        moment = timezone.now() - timedelta(seconds=1)
        ApiKey.objects.filter(pk=key[0].pk).update(expires_at=moment)

    await database_step(expire)
    await revocation.sweep()
    assert mine.cut_by.code == "token_expired"


async def test_a_deleted_key_is_a_revoked_one(parts, caller, key, mine, revocation):
    runs = [await parts.start(caller, ENDLESS, conversation_id="abc") for _ in range(2)]
    await parts.reach(runs[0], "token")
    await database_step(key[0].delete)
    await revocation.sweep()

    assert mine.cut_by.code == "key_revoked"
    for run in runs:
        assert (await parts.ended(run)).error["code"] == "key_revoked"


async def test_p22_within_a_second_without_being_asked(key, mine, revocation):
    revocation.start()
    moment = timezone.now()
    await database_step(ApiKey.objects.filter(pk=key[0].pk).update, revoked_at=moment)
    await asyncio.wait_for(mine.was_cut.wait(), 1)
    await revocation.stop()


async def test_what_is_announced_is_acted_upon_at_once(key, mine, revocation, monkeypatch):
    monkeypatch.setattr("conversations.process.revocation.SWEEP_SECONDS", 60)
    revocation.start()
    await database_step(keys.revoke, key[0])
    await asyncio.wait_for(mine.was_cut.wait(), 5)
    await revocation.stop()


async def test_a_connection_is_looked_at_only_after_a_change(key, mine, revocation):
    for _ in range(3):
        await revocation.sweep()
    assert mine.looks == 0
    await database_step(ApiKey.objects.update, allowed_origins=["https://a.io"])
    for _ in range(3):
        await revocation.sweep()
    assert (mine.looks, mine.cut_by) == (1, None)


async def test_a_sweep_with_nothing_open_asks_nothing(revocation, transactional_db):
    key_holders.forget_all()
    await revocation.sweep()


async def test_a_run_that_has_ended_stays_as_it_is(parts, caller, key, revocation):
    run = await parts.start(caller, QUICK)
    row = await parts.ended(run)
    await database_step(keys.revoke, key[0])
    await revocation.sweep()

    assert (await database_step(reload, run)).status == row.status == "completed"
