"""`conversations.broadcast`: what one process has changed, the others forget."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from accounts.database import database_step
from agents import changes, keys
from conversations.broadcast import GROUP, Broadcast
from conversations.signals import Signals
from engine.errors import ClawError
from tests.agents.test_keys import NO_NAMES


@pytest.fixture
async def other() -> AsyncIterator[asyncio.Queue[str]]:
    """What another process hears."""
    signals, heard = Signals(), asyncio.Queue()
    signals.handle("changed", lambda message: heard.put_nowait(message["organization"]))
    await signals.start()
    await signals.join(GROUP)
    yield heard
    await signals.stop()


async def test_it_works(transactional_db, signals, other):
    broadcast = Broadcast(signals)
    await broadcast.start()
    await database_step(changes.announce, "org_1")
    assert await asyncio.wait_for(other.get(), 1) == "org_1"

    await broadcast.stop()
    await database_step(changes.announce, "org_2")
    assert other.empty()


async def test_what_another_has_changed_is_forgotten_here(key, signals):
    row, token = key
    broadcast = Broadcast(signals)
    await broadcast.start()
    remembered = await keys.find(token, NO_NAMES)
    await database_step(row.delete)
    assert await keys.find(token, NO_NAMES) is remembered

    await Signals().send(GROUP, "changed", organization=row.organization_id)
    async with asyncio.timeout(1):
        with pytest.raises(ClawError, match="Invalid token"):
            while True:
                await keys.find(token, NO_NAMES)
                await asyncio.sleep(0)
    await broadcast.stop()
