"""Destination `webhook`: each item as JSON, with its id as `webhook-id`."""

import msgspec

from pipelines.destinations.configs import WebhookConfig
from pipelines.destinations.http import Sender
from pipelines.destinations.secret_values import Secrets
from pipelines.graph.items import Item


class Webhook:
    """See `Destination`."""

    def __init__(self, config: WebhookConfig, sender: Sender, secrets: Secrets) -> None:
        self._config, self._sender, self._secrets = config, sender, secrets

    async def send(self, item: Item) -> None:
        """See `Destination.send`."""
        config, fill = self._config, self._secrets.fill
        headers = {name: await fill(value) for name, value in config.headers.items()}
        headers["webhook-id"] = item.id
        url = await self._secrets.fill_address(config.url)
        await self._sender.send(config.method, url, headers, msgspec.json.encode(item.data))

    async def aclose(self) -> None:
        """See `Destination.aclose`."""
        await self._sender.aclose()
