"""The feed of a single process, in the database: it survives a restart and is in every backup.

One row counts an organisation's events and is locked by each writer, so the order of the
positions is the order of the commits, also where commands of other processes write."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TypeAlias

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from conversations.feed.base import UNREAD, CursorLost, Event, Kept, Phase
from conversations.feed.stores.heads import (
    forget_older,
    forget_surplus,
    locked_heads,
    note_reading,
    organizations,
    read_head,
)
from conversations.models import FeedEvent, FeedHead, feed_epoch
from core.database import database_step
from core.statements import read_rows, update_rows

LIVES = """
SELECT subject, MAX(phase) FROM conversations_feedevent
 WHERE subject IN ({keys}) AND phase IN (0, 2) GROUP BY subject
"""
INSERT = """
INSERT INTO conversations_feedevent
       (organization_id, position, type, agent_id, subject, phase, size, data, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

Row: TypeAlias = tuple[str, int, str, str, str, int, int, str]
"""The columns of `INSERT` but for the time."""

_CURSOR = re.compile(r"([0-9A-Za-z]{1,20})\.([0-9]{1,18})", re.ASCII)


class DatabaseStore:
    """See `conversations.feed.base.Store`. The latest progress is in memory alone."""

    def __init__(self, retention: float) -> None:
        """`retention` in seconds."""
        self._retention = timedelta(seconds=retention)
        self._appended = 0
        self._progress: dict[str, dict[str, bytes]] = {}

    async def begin(self, organization_id: str) -> bool:
        """See `Store.begin`."""
        _, new = await database_step(read_head, organization_id)
        return new

    async def append(self, number: int, events: Mapping[str, Sequence[Event]]) -> None:
        """See `Store.append`."""
        if number <= self._appended:
            return
        await database_step(_append, events)
        self._appended = number
        for organization_id, some in events.items():
            noted = self._progress.get(organization_id, {})
            for event in some:
                if event.phase == Phase.CLOSES:
                    noted.pop(event.subject, None)

    async def read(self, organization_id: str, after: str, limit: int) -> list[Kept]:
        """See `Store.read`."""
        cursor = _CURSOR.fullmatch(after)
        if cursor is None:
            raise CursorLost
        return await database_step(_read, organization_id, cursor[1], int(cursor[2]), limit)

    async def newest(self, organization_id: str) -> str:
        """See `Store.newest`."""
        return await database_step(_newest, organization_id)

    async def oldest(self, organization_id: str) -> str:
        """See `Store.oldest`."""
        return await database_step(_oldest, organization_id)

    async def lose(self, organization_id: str) -> None:
        """See `Store.lose`."""
        heads = FeedHead.objects.filter(organization=organization_id)
        await database_step(heads.update, epoch=feed_epoch())

    async def note(self, organization_id: str, progress: Mapping[str, bytes]) -> None:
        """See `Store.note`. Only this process has runs, and says no more of one that has ended."""
        self._progress.setdefault(organization_id, {}).update(progress)

    async def noted(self, organization_id: str) -> dict[str, bytes]:
        """See `Store.noted`."""
        return dict(self._progress.get(organization_id, {}))

    async def unclosed(self) -> list[str]:
        """See `Store.unclosed`."""
        return await database_step(_unclosed)

    async def trim(self) -> None:
        """See `Store.trim`."""
        oldest = timezone.now() - self._retention
        unread = oldest - timedelta(seconds=UNREAD)
        for organization_id in await database_step(organizations):
            await database_step(forget_older, organization_id, oldest, unread)

    async def aclose(self) -> None:
        """See `Store.aclose`: the connections are the process' own."""


def _append(events: Mapping[str, Sequence[Event]]) -> None:
    if not FeedHead.objects.filter(organization__in=list(events)).exists():
        return  # nobody has asked for them: no transaction either
    with transaction.atomic():
        heads = locked_heads(list(events))
        if not heads:
            return
        wanted = [(head, event) for name, head in heads.items() for event in events[name]]
        rows: list[Row] = []
        for head, event in _in_order(wanted):
            head.last += 1
            head.bytes += len(event.data)
            rows.append(_row(head, event))
        _insert(rows)
        for head in heads.values():
            forget_surplus(head)
        update_rows(list(heads.values()), ["last", "floor", "bytes"])


def _in_order(wanted: list[tuple[FeedHead, Event]]) -> Iterator[tuple[FeedHead, Event]]:
    """The events that have their place in their subjects' lives."""
    phases = dict(read_rows(LIVES, list({event.subject for _, event in wanted})))
    for head, event in wanted:
        before = phases.get(event.subject)
        fits = before is None if event.phase == Phase.OPENS else before in (0, 1)
        if fits:
            phases[event.subject] = event.phase
            yield head, event


def _row(head: FeedHead, event: Event) -> Row:
    about = event.type, event.agent_id, event.subject, int(event.phase)
    return head.organization_id, head.last, *about, len(event.data), event.data.decode()


def _insert(rows: list[Row]) -> None:
    """In SQL: the rows of models cost as much as all the rest of a short answer's events."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.executemany(INSERT, [(*row, now) for row in rows])


def _read(organization_id: str, epoch: str, position: int, limit: int) -> list[Kept]:
    head = FeedHead.objects.filter(organization=organization_id, epoch=epoch).first()
    if head is None or not head.floor <= position <= head.last:
        raise CursorLost
    note_reading(head)
    rows = FeedEvent.objects.filter(organization=organization_id, position__gt=position)
    found = list(rows.order_by("position")[:limit])
    if found and found[0].position != position + 1:  # forgotten since the head was read
        raise CursorLost
    return [
        Kept(
            f"{epoch}.{row.position}",
            Event(row.type, row.agent_id, row.subject, Phase(row.phase), row.data.encode()),
        )
        for row in found
    ]


def _newest(organization_id: str) -> str:
    head, _ = read_head(organization_id)
    return f"{head.epoch}.{head.last}"


def _oldest(organization_id: str) -> str:
    head, _ = read_head(organization_id)
    return f"{head.epoch}.{head.floor}"


def _unclosed() -> list[str]:
    lives = FeedEvent.objects.filter(phase__in=(Phase.OPENS, Phase.CLOSES)).values("subject")
    phases = lives.annotate(latest=Max("phase"))
    return list(phases.filter(latest__lt=Phase.CLOSES).order_by().values_list("subject", flat=True))
