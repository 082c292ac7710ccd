"""Source `agent_execution`: the feed of the organisation. The position is a cursor of it."""

import time
from collections.abc import AsyncGenerator, Collection

import msgspec

from conversations.feed.base import CursorLost, Kept
from conversations.feed.feed import Feed
from conversations.feed.watch import begin
from pipelines.graph.items import Data, Item
from pipelines.sources.base import Read
from pipelines.sources.configs import AgentExecution

PATIENCE = 60.0
LOST = "Some events are no longer kept: the pipeline has missed them."


class RunSource:
    """See `Source`."""

    def __init__(
        self,
        config: AgentExecution,
        feed: Feed,
        organization_id: str,
        agent_ids: Collection[str] | None,
        start: str,
    ) -> None:
        """`agent_ids`: None is all agents. `start`: `now`, `beginning`, or a cursor."""
        self._types, self._agents = frozenset(config.event_types), agent_ids
        self._feed, self._organization_id, self._start = feed, organization_id, start

    async def items(self, position: str | None) -> AsyncGenerator[Read, None]:
        """See `Source.items`."""
        if position is None:
            position = await self._first()
            yield Read([], position)
        while True:
            try:
                async with self._feed.follow(self._organization_id, position) as follower:
                    while True:
                        kept = [each for each in await follower.next(PATIENCE) if each.cursor]
                        if kept:
                            position = follower.cursor
                            yield Read(self._wanted(kept), position)
            except CursorLost:
                position = await begin(self._feed, self._organization_id)
                yield Read([], position, LOST)

    async def _first(self) -> str:
        now = await begin(self._feed, self._organization_id)
        if self._start == "beginning":
            return await self._feed.store.oldest(self._organization_id)
        return now if self._start == "now" else self._start

    def _wanted(self, kept: list[Kept]) -> list[Item]:
        return [
            _item(one)
            for one in kept
            if one.event.type in self._types
            and (self._agents is None or one.event.agent_id in self._agents)
        ]


def _item(one: Kept) -> Item:
    """The run with the type of the event, or the event itself where it has no run. A run is
    completed once, so its id is the id of that item."""
    data: Data = msgspec.json.decode(one.event.data)
    arrived = round(time.time() * 1000)
    run = data.pop("run", None)
    if isinstance(run, dict):
        data = {**run, **data}
    completed = one.event.type == "run:completed"
    return Item(one.event.subject if completed else f"evt_{one.cursor}", data, arrived)
