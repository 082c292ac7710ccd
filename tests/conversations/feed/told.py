"""What the feed of one organisation tells, from the beginning of a test."""

import asyncio
from typing import Any

import msgspec

from conversations.feed.base import CursorLost
from conversations.feed.feed import Feed
from conversations.models import Run

SOON = 10.0  # seconds: whoever waits is told long before


class Told:
    """Reads the feed again with every question."""

    def __init__(self, feed: Feed, organization_id: str, begin: str) -> None:
        self.feed, self._organization_id, self._begin = feed, organization_id, begin

    async def until(self, run: Run, type_: str, count: int = 1) -> list[dict[str, Any]]:
        """What it says of a run, up to the message of this type, the last of `count`."""
        found: list[dict[str, Any]] = []
        async with self.feed.follow(self._organization_id, self._begin) as follower:
            async with asyncio.timeout(SOON):
                while [message["type"] for message in found].count(type_) < count:
                    kept = await follower.next(SOON)
                    found += [
                        msgspec.json.decode(one.event.data)
                        for one in kept
                        if one.event.subject == run.pk
                    ]
        return found

    async def forget(self) -> None:
        """Begin anew, once the events that are on their way have pushed out the older ones."""
        async with asyncio.timeout(SOON):
            while True:
                try:
                    await self.feed.store.read(self._organization_id, self._begin, 1)
                except CursorLost:
                    break
                await asyncio.sleep(0.01)
        self._begin = await self.feed.store.newest(self._organization_id)

    async def all(self, run: Run) -> list[dict[str, Any]]:
        """What it says of a run until now, once all that is written is stored."""
        await self.feed.stop()
        kept = await self.feed.store.read(self._organization_id, self._begin, 1000)
        return [msgspec.json.decode(one.event.data) for one in kept if one.event.subject == run.pk]
