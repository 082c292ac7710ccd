"""Looks at the alert rules of all organisations, and tells of their alerts."""

import asyncio
import logging

import msgspec
from django.db import transaction
from django.utils import timezone

from alerts import mails
from alerts.access import due, notices
from alerts.judging import Change
from alerts.models import Alert, AlertRule, Notice
from alerts.shown import shown_alert
from conversations.feed.base import Event, Phase
from conversations.feed.feed import Feed
from conversations.feed.outbox import message_of
from conversations.usage.measuring import measure
from core.database import database_step
from core.tasks.background import Background, repeat
from engine.errors import ClawError
from webhooks.access import queue
from wire import feed as wire

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Between two looks for rules and notices that are due, of one query each."""
TRIM_SECONDS = 600.0

_encoder = msgspec.json.Encoder()


class AlertWatcher:
    """Works in every process that carries out runs: each look and each notice is done by one."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._background = Background()

    def start(self) -> None:
        """Begin to look."""
        self._background.start(
            repeat(self._work, POLL_SECONDS, log, "alert rules are looked at later"),
            repeat(_trim, TRIM_SECONDS, log, "alerts are trimmed later"),
        )

    async def stop(self) -> None:
        """End what `start` began."""
        await self._background.stop()

    async def _work(self) -> int:
        return await self.look() + await self.tell()

    async def look(self) -> int:
        """Look at the rules that are due; returns how many. Raises `Unavailable`."""
        rules = await database_step(due.claim)
        for rule in rules:
            await database_step(_look_at, rule)
        return len(rules)

    async def tell(self) -> int:
        """Tell what is due; returns how much. Raises `Unavailable`."""
        told = await database_step(notices.claim)
        for notice in told:
            await self._tell(notice)
        return len(told)

    async def _tell(self, notice: Notice) -> None:
        match notice.kind:
            case Notice.Kind.MAIL:
                await self._mail(notice)
            case Notice.Kind.WEBHOOK:
                await database_step(_enqueue, notice)
            case _:
                self._feed.record(notice.alert.organization_id, event_of(notice))
                await database_step(notices.told, notice)

    async def _mail(self, notice: Notice) -> None:
        try:
            # A thread of its own: a mail server may take half a minute.
            await asyncio.to_thread(mails.send, notice.alert, notice.type, notice.address)
        except ClawError as error:
            again = await database_step(notices.failed, notice)
            later = "is tried again" if again else "was given up"
            log.warning("a mail about alert %s %s: %s", notice.alert_id, later, error.code)
        else:
            await database_step(notices.told, notice)


def event_of(notice: Notice) -> Event:
    """The event of the feed that tells of the alert."""
    triggers = notice.type == Change.TRIGGERS.value
    alert: Alert = notice.alert
    shown = shown_alert(alert)
    message: wire.FeedMessage
    if triggers:
        alone = msgspec.structs.replace(shown, resolved_at=None)
        message = wire.AlertTriggered(at=alert.triggered_at, alert=alone)
    else:
        message = wire.AlertResolved(at=alert.resolved_at or timezone.now(), alert=shown)
    phase = Phase.OPENS if triggers else Phase.CLOSES
    return Event(notice.type, alert.agent_id, alert.id, phase, _encoder.encode(message))


async def _trim() -> bool:
    return await database_step(due.trim)


def _look_at(rule: AlertRule) -> None:
    due.settle(rule, measure(rule, timezone.now()))


@transaction.atomic
def _enqueue(notice: Notice) -> None:
    """Let the webhook be sent the event, unless it is sent all events of the type anyway."""
    type_, body = message_of(event_of(notice))
    queue.enqueue(notice.alert.organization_id, notice.address, type_, body)
    notices.told(notice)
