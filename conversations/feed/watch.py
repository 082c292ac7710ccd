"""The view that one reader of the feed may have of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from django.utils.timezone import now

from agents.principal import Principal
from alerts.access.rules import open_alerts
from alerts.shown import shown_alert
from conversations.feed import access
from conversations.feed.base import Kept
from conversations.feed.feed import Feed
from conversations.feed.run_objects import run_object
from conversations.feed.runs import announcement
from core.database import database_step
from wire import feed as wire

_encoder = msgspec.json.Encoder()
_completed = msgspec.json.Decoder(wire.RunCompleted)
COMPLETED = str(wire.RunCompleted.__struct_config__.tag)


@dataclass(frozen=True)
class Watch:
    """`agents` and `types` are those that are shown; None is all of them. `names` are the agents
    that were asked for."""

    principal: Principal
    names: frozenset[str]
    agents: frozenset[str] | None
    types: frozenset[str] | None

    async def select(self, kept: Iterable[Kept]) -> list[tuple[str, bytes]]:
        """The events that are shown, each with its cursor, as JSON."""
        shown = [one for one in kept if self._shows(one)]
        ended = [one.event.subject for one in shown if one.event.type == COMPLETED]
        texts = await self._excerpts(ended)
        return [
            (
                cursor,
                _with_excerpt(event.data, texts.get(event.subject))
                if event.type == COMPLETED
                else event.data,
            )
            for cursor, event in shown
        ]

    def _shows(self, one: Kept) -> bool:
        event = one.event
        return (self.agents is None or event.agent_id in self.agents) and (
            self.types is None or event.type in self.types
        )

    async def _excerpts(self, run_ids: Sequence[str]) -> dict[str, str]:
        """Read when they are shown: so what has been deleted is shown no more."""
        if not run_ids or "conversations:read" not in self.principal.scopes:
            return {}
        return await database_step(access.excerpts, self.principal, run_ids)

    async def state(
        self, feed: Feed, connections: Sequence[wire.OpenConnection]
    ) -> tuple[str, wire.CommandCenterState]:
        """The current state, and a cursor after which the feed tells everything that the state may
        lack.

        Raises `Unavailable`."""
        organization_id = self.principal.organization_id
        cursor = await begin(feed, organization_id)
        runs = await database_step(access.live_runs, self.principal, self.agents)
        alerts = await database_step(list, open_alerts(organization_id, self.agents))
        progress = await feed.store.noted(organization_id)
        state = wire.CommandCenterState(
            at=now(),
            runs=[run_object(run, progress=progress.get(run.pk)) for run in runs],
            alerts=[shown_alert(each) for each in alerts],
            connections=[one for one in connections if self._shows_connection(one)],
        )
        return cursor, state

    def _shows_connection(self, connection: wire.OpenConnection) -> bool:
        return self.agents is None or connection.agent_id in self.agents


async def begin(feed: Feed, organization_id: str) -> str:
    """Keep what happens in the organisation from now on; returns a cursor after which the feed
    tells it. Raises `Unavailable`."""
    if await feed.store.begin(organization_id):  # else nobody would tell how these end
        for run in await database_step(access.unfinished_runs, organization_id):
            feed.record(organization_id, announcement(run))
    return await feed.store.newest(organization_id)


def _with_excerpt(data: bytes, excerpt: str | None) -> bytes:
    if excerpt is None:
        return data
    completed = _completed.decode(data)
    result = msgspec.structs.replace(completed.result, excerpt=excerpt)
    return _encoder.encode(msgspec.structs.replace(completed, result=result))
