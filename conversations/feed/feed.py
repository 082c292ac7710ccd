"""The feed as the rest of the product uses it."""

from conversations.feed.base import Event, Store
from conversations.feed.followers import Follower, Followers
from conversations.feed.writer import Writer
from conversations.signals.channel import Signals


class Feed:
    """A store with its writer and its followers in this process."""

    def __init__(self, store: Store, signals: Signals) -> None:
        self.store = store
        self._followers = Followers(store, signals)
        self._writer = Writer(store, self._followers.announce)

    def start(self) -> None:
        """Begin to store what is written."""
        self._writer.start()

    async def stop(self) -> None:
        """Store what is left, and let the store go."""
        await self._writer.stop()
        await self.store.aclose()

    def record(self, organization_id: str, event: Event) -> None:
        """Something has happened. It never waits and never fails."""
        self._writer.write(organization_id, event)

    def note(self, organization_id: str, event: Event) -> None:
        """The latest progress of the event's subject: followers are told, and it is not stored."""
        self._writer.note(organization_id, event)

    def follow(self, organization_id: str, after: str) -> Follower:
        """A reader of what comes after a cursor."""
        return Follower(self._followers, organization_id, after)
