"""What the tests of both stores share."""

from collections.abc import AsyncIterator, Callable

import pytest

from agents.caller import Caller
from conversations.feed.base import MAX_BYTES, MAX_EVENTS, UNREAD, Store
from conversations.feed.feed import Feed
from conversations.feed.stores import heads, local, redis
from conversations.feed.stores.local import DatabaseStore
from conversations.signals.channel import Signals
from tests.conversations.feed.told import Told


@pytest.fixture
def store(open_store: Callable[..., Store]) -> Store:
    return open_store()


@pytest.fixture
def bounds(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`bounds(events=..., size=..., unread=...)`: smaller ones."""

    def smaller(events: int = MAX_EVENTS, size: int = MAX_BYTES, unread: float = UNREAD) -> None:
        for module in (heads, redis):
            monkeypatch.setattr(module, "MAX_EVENTS", events)
            monkeypatch.setattr(module, "MAX_BYTES", size)
        for module in (heads, local, redis):
            monkeypatch.setattr(module, "UNREAD", unread)

    return smaller


@pytest.fixture
async def told(signals: Signals, caller: Caller) -> AsyncIterator[Told]:
    """The feed of the caller's organisation."""
    feed = Feed(DatabaseStore(retention=600), signals)
    feed.start()
    organization_id = caller.principal.organization_id
    yield Told(feed, organization_id, await feed.store.newest(organization_id))
    await feed.stop()
