"""Takes events to a store, in the background: their writer waits for nothing."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from itertools import islice
from typing import TypeAlias

from conversations.feed.base import MAX_BYTES, MAX_EVENTS, Event, Store
from core.tasks.background import Background, repeat
from engine.errors import Unavailable

log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.1  # what happens within it is stored together
TRIM_SECONDS = 60.0
RETRY_SECONDS = 0.5
PATIENCE = 2.0  # seconds, at the end of the process
GROUP = 500  # events in one call to the store

Progress: TypeAlias = Mapping[str, Event]
"""The latest progress of some subjects."""
Announce: TypeAlias = Callable[[str, Progress], Awaitable[None]]
"""Tells all processes that an organisation's feed has something new, and this progress."""


class Writer:
    """A bounded queue before a store, and the task that empties it.

    While the store is away the queue fills. An event without room is dropped, and the
    organisation's history is declared lost: its readers are then told to read the current state."""

    def __init__(self, store: Store, announce: Announce) -> None:
        self._store, self._announce = store, announce
        self._events: deque[tuple[str, Event]] = deque()
        self._size = 0
        self._progress: dict[str, dict[str, Event]] = defaultdict(dict)
        self._lost: set[str] = set()
        self._wake = asyncio.Event()
        self._calls = 0
        self._background = Background()

    def start(self) -> None:
        """Begin to store, and to trim."""
        trimming = repeat(self._store.trim, TRIM_SECONDS, log, "the feed is trimmed later")
        self._background.start(self._keep_storing(), trimming)

    async def stop(self) -> None:
        """Store what is left, if the store answers soon, and end."""
        await self._background.stop()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._flush()
        except (TimeoutError, Unavailable):
            log.warning("%d events of the feed are lost", len(self._events))

    def write(self, organization_id: str, event: Event) -> None:
        """Store an event soon. It never waits and never fails."""
        size = self._size + len(event.data)
        if len(self._events) >= MAX_EVENTS or size > MAX_BYTES:
            self._lost.add(organization_id)
            return
        self._events.append((organization_id, event))
        self._size = size
        self._wake.set()

    def note(self, organization_id: str, event: Event) -> None:
        """Tell a subject's progress soon; the latest replaces those that are not told yet. While
        the store is away there is none."""
        self._progress[organization_id][event.subject] = event
        self._wake.set()

    async def _keep_storing(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(FLUSH_SECONDS)
            self._wake.clear()
            while True:
                try:
                    await self._flush()
                    break
                except Unavailable:
                    log.warning("the feed is stored later", exc_info=True)
                    await asyncio.sleep(RETRY_SECONDS)

    async def _flush(self) -> None:
        """Store everything, then tell who follows. Raises `Unavailable`."""
        progress, self._progress = self._progress, defaultdict(dict)
        told: set[str] = set(progress)
        while self._events:
            told |= await self._store_some()
        for organization_id in list(self._lost):
            await self._store.lose(organization_id)
            self._lost.discard(organization_id)
            told.add(organization_id)
        for organization_id in told:
            latest = progress.get(organization_id, {})
            if latest:
                data = {subject: event.data for subject, event in latest.items()}
                await self._store.note(organization_id, data)
            await self._announce(organization_id, latest)

    async def _store_some(self) -> set[str]:
        """Store the oldest events; returns whose they are. Raises `Unavailable`: then the same
        call is made again."""
        some = list(islice(self._events, GROUP))
        groups: dict[str, list[Event]] = defaultdict(list)
        for organization_id, event in some:
            groups[organization_id].append(event)
        try:
            await self._store.append(self._calls + 1, groups)
        except Unavailable:
            raise
        except Exception:  # a defect, or what the store refuses: the others must not wait for it
            log.exception("%d events of the feed cannot be stored", len(some))
            self._lost |= set(groups)
        self._calls += 1
        for _, event in some:
            self._events.popleft()
            self._size -= len(event.data)
        return set(groups)
