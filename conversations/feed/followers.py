"""The followers of the feed in this process.

The channel layer announces new events, and may lose an announcement: so a follower looks into the
store from time to time too."""

import asyncio
import logging
from types import TracebackType
from typing import Any, Self, TypeAlias

from conversations.feed.base import CursorLost, Event, Kept, Phase, Store
from conversations.feed.writer import Progress
from conversations.signals.channel import Signals
from core.tasks.batching import Batcher, at_most
from engine.errors import Unavailable

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
LIMIT = 200  # events at once
READS = 50  # in one step
MAX_SUBJECTS = 1000  # whose progress waits, or whose end is remembered, for one follower

Place: TypeAlias = tuple[str, str]
"""A position in a feed: organisation and cursor."""


class Followers:
    """Those of this process. Followers who stand at the same place share one look."""

    def __init__(self, store: Store, signals: Signals) -> None:
        self._store, self._signals = store, signals
        self._following: dict[str, set[Follower]] = {}
        self._reads: Batcher[Place, list[Kept]] = Batcher(
            self._read, at_most(READS), lambda place: place[0]
        )
        signals.handle("feed", self._heard)

    async def announce(self, organization_id: str, progress: Progress) -> None:
        """Wake the organisation's followers in all processes, and tell them some progress."""
        told = {name: [one.type, one.agent_id, one.data] for name, one in progress.items()}
        await self._signals.send(
            _group(organization_id), "feed", organization=organization_id, progress=told
        )

    async def join(self, follower: "Follower") -> None:
        """Wake `follower` at everything new, until `leave`."""
        first = follower.organization_id not in self._following
        self._following.setdefault(follower.organization_id, set()).add(follower)
        if first:
            await self._signals.join(_group(follower.organization_id))

    async def leave(self, follower: "Follower") -> None:
        """The end of `join`."""
        following = self._following.get(follower.organization_id, set())
        following.discard(follower)
        if not following and self._following.pop(follower.organization_id, None) is not None:
            await self._signals.leave(_group(follower.organization_id))

    async def read(self, organization_id: str, after: str) -> list[Kept]:
        """The events after a cursor, as they are after this call began. Raises `CursorLost`,
        `Unavailable`."""
        return await self._reads.do((organization_id, after))

    async def _read(self, places: list[Place]) -> list[list[Kept] | Exception]:
        found: dict[Place, list[Kept] | Exception] = {}
        for place in dict.fromkeys(places):
            try:
                found[place] = await self._store.read(*place, LIMIT)
            except (CursorLost, Unavailable) as error:
                found[place] = error
        return [found[place] for place in places]

    def _heard(self, message: dict[str, Any]) -> None:
        for follower in self._following.get(message["organization"], ()):
            follower.wake(message["progress"])


class Follower:
    """One reader: `async with Follower(...) as follower`, then `next` again and again."""

    def __init__(self, followers: Followers, organization_id: str, after: str) -> None:
        self.organization_id, self.cursor = organization_id, after
        self._followers = followers
        self._wake = asyncio.Event()
        self._progress: dict[str, Kept] = {}
        self._closed: dict[str, None] = {}
        self._stopped = False

    async def __aenter__(self) -> Self:
        await self._followers.join(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._followers.leave(self)

    def wake(self, progress: dict[str, Any] | None = None) -> None:
        """Let `next` look. `progress` is told after what the store has by then."""
        for subject, (type_, agent_id, data) in (progress or {}).items():
            if len(self._progress) < MAX_SUBJECTS:
                event = Event(type_, agent_id, subject, Phase.GOES_ON, data)
                self._progress[subject] = Kept("", event)
        self._wake.set()

    def stop(self) -> None:
        """Let `next` return at once, from now on."""
        self._stopped = True
        self._wake.set()

    async def next(self, patience: float) -> list[Kept]:
        """The next events, oldest first; none after `patience` seconds or while the store does not
        answer. Progress has no cursor: it is not kept. Raises `CursorLost`."""
        time = asyncio.get_running_loop().time
        until = time() + patience
        while not self._stopped:
            self._wake.clear()
            if found := await self._look():
                return found
            if time() >= until:
                break
            try:
                async with asyncio.timeout_at(min(until, time() + POLL_SECONDS)):
                    await self._wake.wait()
            except TimeoutError:
                pass  # a wake-up may have been lost: look all the same
        return []

    async def _look(self) -> list[Kept]:
        # Taken before the look: so what opened these subjects is in what the look finds.
        progress, self._progress = self._progress, {}
        try:
            kept = await self._followers.read(self.organization_id, self.cursor)
        except Unavailable:
            log.warning("the feed cannot be read now", exc_info=True)
            return []
        if len(kept) == LIMIT:  # there may be more, which comes first
            self._progress = progress | self._progress
            progress = {}
        for cursor, event in kept:
            self.cursor = cursor
            if event.phase == Phase.CLOSES:
                self._remember_closed(event.subject)
        return kept + [one for name, one in progress.items() if name not in self._closed]

    def _remember_closed(self, subject: str) -> None:
        """Progress that comes late is not told."""
        self._closed[subject] = None
        if len(self._closed) > MAX_SUBJECTS:
            del self._closed[next(iter(self._closed))]


def _group(organization_id: str) -> str:
    return f"feed.{organization_id}"
