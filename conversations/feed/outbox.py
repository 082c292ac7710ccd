"""From the feed of each organisation to its webhooks."""

import logging

import msgspec

from conversations.feed.base import CursorLost, Event
from conversations.feed.feed import Feed
from conversations.feed.watch import begin
from core.database import database_step
from core.tasks.background import Background, repeat
from webhooks.access import positions
from webhooks.mails import tell_disabled

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Between two looks into the feeds of the organisations that have webhooks."""
LIMIT = 200  # events at once


class Message(msgspec.Struct):
    """The body of a webhook, as Standard Webhooks recommends it: `data` is the event as the command
    center shows it."""

    type: str
    timestamp: str
    data: msgspec.Raw


class _Dated(msgspec.Struct):
    at: str


_encoder = msgspec.json.Encoder()
_dated = msgspec.json.Decoder(_Dated)


class Outbox:
    """Stores a delivery of each event for the webhooks that want it. All processes may do so for
    the same organisation: the position in its feed moves in the same transaction."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._background = Background()

    def start(self) -> None:
        """Begin to read."""
        later = "webhooks hear of events later"
        self._background.start(repeat(self.read_on, POLL_SECONDS, log, later))

    async def stop(self) -> None:
        """End what `start` began."""
        await self._background.stop()

    async def read_on(self) -> bool:
        """Read the next events of every organisation; returns whether there may be more. Raises
        `Unavailable`."""
        more = False
        for organization_id, cursor in await database_step(positions.positions):
            more |= await self._read(organization_id, cursor)
        return more

    async def _read(self, organization_id: str, cursor: str) -> bool:
        try:
            kept = await self._feed.store.read(organization_id, cursor, LIMIT)
        except CursorLost:
            log.warning("webhooks of %s miss events that are no longer kept", organization_id)
            kept, after = [], await begin(self._feed, organization_id)
        else:
            if not kept:
                return False
            after = kept[-1].cursor
        messages = [message_of(one.event) for one in kept]
        step = database_step(positions.advance, organization_id, cursor, after, messages)
        for webhook in await step:
            await tell_disabled(webhook)
        return len(kept) == LIMIT


def message_of(event: Event) -> tuple[str, str]:
    """The type of an event, and the body of a webhook that tells of it."""
    message = Message(event.type, _dated.decode(event.data).at, msgspec.Raw(event.data))
    return event.type, _encoder.encode(message).decode()
