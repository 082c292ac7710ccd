"""Delivers what waits for webhooks, in every process that carries out runs."""

import asyncio
import logging
import time
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from core.database import database_step
from core.tasks.background import Background, repeat
from engine.errors import Unavailable
from engine.http.guard import Guard
from webhooks import retries
from webhooks.access import queue
from webhooks.mails import tell_disabled
from webhooks.models import Delivery, Webhook
from webhooks.sending import Outcome, send
from webhooks.signing import headers

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Between two looks for deliveries that are due, of one query each."""
MAX_TURNS = 100
"""Webhooks that a process delivers to at once."""
TURN_SECONDS = 10.0
"""After which other webhooks have their turn."""
TRIM_SECONDS = 600.0


class Deliverer:
    """Gives webhooks their turns. Each webhook is claimed by one process at a time, and has only a
    few deliveries under way: one that is slow or dead keeps no other waiting."""

    def __init__(self) -> None:
        self._guard = Guard(settings.CLAW_ALLOW_PRIVATE_NETWORKS)
        self._background, self._turns = Background(), Background()
        self._room = asyncio.Semaphore(MAX_TURNS)

    def start(self) -> None:
        """Begin to deliver."""
        self._background.start(
            repeat(self._begin_turn, POLL_SECONDS, log, "deliveries to webhooks are put off"),
            repeat(_trim, TRIM_SECONDS, log, "deliveries are trimmed later"),
        )

    async def stop(self) -> None:
        """End it; what is under way is delivered again by another process."""
        await self._background.stop()
        await self._turns.stop()

    async def _begin_turn(self) -> bool:
        """Let the next webhook have its turn; returns whether there was one."""
        await self._room.acquire()
        webhook = None
        try:
            webhook = await database_step(queue.claim)
        finally:
            if webhook is None:
                self._room.release()
        if webhook is not None:
            self._turns.start(self._turn(webhook))
        return webhook is not None

    async def _turn(self, webhook: Webhook) -> None:
        rest = retries.SHORTEST_REST
        try:
            rest = await self.deliver(webhook)
        except Unavailable:
            log.warning("deliveries to webhook %s are put off", webhook.pk, exc_info=True)
        finally:
            self._room.release()
            await database_step(queue.release, webhook, rest)

    async def deliver(self, webhook: Webhook) -> timedelta:
        """Deliver what is due for a claimed webhook, for `TURN_SECONDS` at most; returns how long
        the webhook is left alone then. Raises `Unavailable`."""
        until = time.monotonic() + TURN_SECONDS
        while time.monotonic() < until and (due := await database_step(queue.due, webhook)):
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._try(webhook, each)) for each in due]
            tried = list(zip(due, (task.result() for task in tasks), strict=True))
            if await database_step(queue.settle, webhook, tried):
                await tell_disabled(webhook)
            if webhook.failing_since is not None:
                return retries.rest(timezone.now() - webhook.failing_since)
        return timedelta(0)

    async def _try(self, webhook: Webhook, delivery: Delivery) -> Outcome:
        now = timezone.now()
        keys = [webhook.secret]
        if webhook.previous_secret and webhook.previous_until and now < webhook.previous_until:
            keys.append(webhook.previous_secret)
        signed = headers(delivery.pk, int(now.timestamp()), delivery.body, keys)
        return await send(webhook.url, signed, delivery.body, self._guard)


async def _trim() -> bool:
    return await database_step(queue.trim)
