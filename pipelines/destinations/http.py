"""Sends requests to the addresses that organisations name, through the guard."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from engine.http.guard import AddressRefused, Guard
from pipelines.destinations.base import DeliveryError

if TYPE_CHECKING:
    import httpx2

    from engine.http.httpx import Transport

MAX_SECONDS = 15.0
"""For an attempt, from the look-up of the name to the end of the answer."""
MAX_ANSWER = 64 * 1024
MAX_SERVERS = 8
"""Servers whose connections are kept; a pipeline speaks to few."""
TRANSIENT = {408, 425, 429}
"""Statuses below 500 after which a request may be sent again."""


class Sender:
    """The connections of one pipeline."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._transports: dict[str, Transport] = {}

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
        """Send a request; returns the answer to one that was taken (2xx). A redirect is not
        followed. Raises `DeliveryError`."""
        try:
            async with asyncio.timeout(MAX_SECONDS):
                return await self._send(method, url, headers, body)
        except TimeoutError:
            raise DeliveryError(f"The receiver did not answer in {MAX_SECONDS:.0f} s.") from None

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in self._transports.values():
            await transport.aclose()
        self._transports.clear()

    async def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
        # They cost tens of megabytes, and most installations have no pipelines.
        import httpcore2
        import httpx2

        try:
            self._guard.check_url(url)
            request = httpx2.Request(method, url, headers=_USUAL | dict(headers), content=body)
            transport = await self._transport(url)
        except AddressRefused:
            raise DeliveryError("The address is not allowed.", transient=False) from None
        except (ValueError, httpx2.InvalidURL):
            raise DeliveryError(
                "The address or a header cannot be sent.", transient=False
            ) from None
        try:
            response = await transport.handle_async_request(request)
            try:
                return await _answer(response)
            finally:
                await response.aclose()
        except AddressRefused:
            raise DeliveryError("The address is not allowed.", transient=False) from None
        except (OSError, ValueError, httpcore2.NetworkError, httpcore2.ProtocolError):
            raise DeliveryError("The receiver cannot be reached.") from None

    async def _transport(self, url: str) -> "Transport":
        from engine.http.httpx import Transport

        parts = urlsplit(url)
        server = f"{parts.scheme}://{parts.netloc}"
        if server not in self._transports:
            if len(self._transports) >= MAX_SERVERS:
                await self.aclose()
            self._transports[server] = Transport(server, self._guard)
        return self._transports[server]


_USUAL = {"content-type": "application/json", "user-agent": "Clawsite"}


async def _answer(response: "httpx2.Response") -> bytes:
    """The body. Raises `DeliveryError` for every status but 2xx."""
    from engine.http.httpx import HEAD

    status = response.status_code
    if 300 <= status < 400:
        raise DeliveryError(f"The receiver redirects ({status}).", transient=False)
    if not 200 <= status < 300:
        transient = status >= 500 or status in TRANSIENT
        after = response.extensions[HEAD].get("retry-after", "")
        raise DeliveryError(
            f"The receiver answered {status}.",
            transient=transient,
            retry_after=float(after) if after.isascii() and after.isdigit() else None,
        )
    body = bytearray()
    async with contextlib.aclosing(response.aiter_raw()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > MAX_ANSWER:
                break
    return bytes(body[:MAX_ANSWER])
