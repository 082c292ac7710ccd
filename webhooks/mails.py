"""The mail that says that a webhook was disabled."""

import asyncio
import logging

from accounts import mail
from core.database import database_step
from engine.errors import ClawError
from webhooks.access.queue import managers
from webhooks.models import Webhook

log = logging.getLogger(__name__)

MAX_AN_HOUR = 20
"""Mails about webhooks to one organisation."""
TEXT = """Your webhook {url} is disabled. {reason}

It is sent nothing until you enable it again. Events of the meantime are not sent later; what had
failed can be replayed from its deliveries."""


async def tell_disabled(webhook: Webhook) -> None:
    """Write to the owners and admins of the webhook's organisation."""
    log.warning("webhook %s is disabled: %s", webhook.pk, webhook.disabled_reason)
    text = TEXT.format(url=webhook.url, reason=webhook.disabled_reason)
    for address in await database_step(managers, webhook):
        try:
            # A thread of its own: a mail server may take half a minute.
            await asyncio.to_thread(_send, webhook.organization_id, address, text)
        except ClawError:
            log.error("%s was not told that webhook %s is disabled", address, webhook.pk)


def _send(organization_id: str, address: str, text: str) -> None:
    mail.count(f"webhooks:{organization_id}", at_most=MAX_AN_HOUR)
    mail.send(address, "A webhook is disabled", text)
