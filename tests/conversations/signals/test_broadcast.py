"""`conversations.signals.broadcast`: what one process has changed, the others forget."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agents import invalidation
from agents.auth import key_format
from agents.auth.key_holders import find
from agents.models import ApiKey
from conversations.signals.broadcast import GROUP, Broadcast
from conversations.signals.channel import Signals
from core.database import database_step
from tests.agents.auth.test_key_holders import NO_NAMES


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
    await database_step(invalidation.publish, "org_1")
    assert await asyncio.wait_for(other.get(), 1) == "org_1"

    await broadcast.stop()
    await database_step(invalidation.publish, "org_2")
    assert other.empty()


async def test_what_another_has_changed_is_forgotten_here(key, signals, other):
    row, token = key
    broadcast = Broadcast(signals)
    await broadcast.start()
    remembered = await find(key_format.read(token), NO_NAMES)
    await database_step(ApiKey.objects.update, scopes=["chat"])
    assert await find(key_format.read(token), NO_NAMES) is remembered

    await Signals().send(GROUP, "changed", organization=row.organization_id)
    async with asyncio.timeout(1):
        while (await find(key_format.read(token), NO_NAMES)).principal.scopes != {"chat"}:
            await other.get()
    await broadcast.stop()
