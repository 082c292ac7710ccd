"""Destination `notification`: a message for people, made from a template."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import msgspec

from accounts import mail
from engine.errors import ClawError, Unavailable
from pipelines.destinations.base import DeliveryError
from pipelines.destinations.configs import NotificationConfig
from pipelines.destinations.http import Sender
from pipelines.destinations.secret_values import Secrets
from pipelines.graph.functions import text
from pipelines.graph.items import Data, Item
from pipelines.graph.paths import MISSING, getter

MAX_LENGTH = {"discord": 2000, "slack": 40_000}
"""Characters of a message."""
LONGEST = 20_000
MAX_MAILS_AN_HOUR = 100
"""Of one organisation's pipelines."""
_PLACE = re.compile(r"\{\{\s*([A-Za-z0-9_.]{1,200})\s*\}\}")


class Notification:
    """See `Destination`."""

    def __init__(
        self, config: NotificationConfig, sender: Sender, secrets: Secrets, organization_id: str
    ) -> None:
        self._config, self._sender, self._secrets = config, sender, secrets
        self._organization_id = organization_id

    async def send(self, item: Item) -> None:
        """See `Destination.send`. A batch is one message, with a line for each member."""
        config = self._config
        parts = [data for _, data in item.parts] or [item.data]
        message = "\n".join(render(config.template, data) for data in parts)
        message = message[: MAX_LENGTH.get(config.channel, LONGEST)]
        if config.channel == "email":
            # A thread of its own: a mail server may take half a minute.
            await asyncio.to_thread(self._mail, message)
            return
        url = await self._secrets.fill_address(str(config.webhook))
        body = msgspec.json.encode(BODIES[config.channel](message))
        await self._sender.send("POST", url, {"webhook-id": item.id}, body)

    async def aclose(self) -> None:
        """See `Destination.aclose`."""
        await self._sender.aclose()

    def _mail(self, message: str) -> None:
        config = self._config
        subject = "A message of a pipeline" if not config.subject else str(config.subject)
        try:
            mail.count(f"pipelines:{self._organization_id}", at_most=MAX_MAILS_AN_HOUR)
            mail.send(str(config.to), subject, message)
        except Unavailable as error:
            raise DeliveryError("The mail server does not answer.") from error
        except ClawError as error:
            transient = error.code == "rate_limited"
            raise DeliveryError(error.message, transient=transient) from error


def render(template: str, data: Data) -> str:
    """The template with the values of an item; nothing for a path that leads nowhere."""

    def value(match: re.Match[str]) -> str:
        found = getter(match[1])(data)
        if found is MISSING:
            return ""
        if isinstance(found, dict | list):
            return msgspec.json.encode(found).decode()
        return text(found)

    return _PLACE.sub(value, template)


def _card(message: str) -> Any:
    """An adaptive card (https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/
    how-to/add-incoming-webhook)."""
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": [{"type": "TextBlock", "text": message, "wrap": True}],
                },
            }
        ],
    }


BODIES: dict[str, Callable[[str], Any]] = {
    "slack": lambda message: {"text": message},
    "discord": lambda message: {"content": message, "allowed_mentions": {"parse": []}},
    "teams": _card,
    "webhook": lambda message: {"text": message},
}
