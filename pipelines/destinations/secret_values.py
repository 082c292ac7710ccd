"""`${secrets.NAME}` in the configuration of a destination: looked up for each delivery, and never
stored with it."""

from collections.abc import Callable
from functools import partial
from urllib.parse import quote

from accounts.access import secret_values
from agents.outbound.mcp import SECRET, secrets_named
from core.database import database_step
from pipelines.destinations.base import DeliveryError


class Secrets:
    """Those of one organisation."""

    def __init__(self, organization_id: str) -> None:
        self._organization_id = organization_id

    async def fill(self, text: str) -> str:
        """A text with the secrets that it names. Raises `DeliveryError` if one is not there."""
        return await self._filled(text, str)

    async def fill_address(self, url: str) -> str:
        """The same of an address. A secret that stands alone may be the whole of it."""
        if SECRET.fullmatch(url):
            return await self.fill(url)
        return await self._filled(url, partial(quote, safe=""))

    async def _filled(self, text: str, written: Callable[[str], str]) -> str:
        named = secrets_named(text)
        if not named:
            return text
        values = await database_step(secret_values, self._organization_id, named)
        if missing := sorted(named - values.keys()):
            raise DeliveryError(f"There is no secret “{missing[0]}”.")
        return SECRET.sub(lambda match: written(values[match[1]]), text).strip()
