"""Fetches one page of the web, for whoever names its address."""

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urldefrag, urljoin

from engine.http.guard import Guard

if TYPE_CHECKING:
    import httpx2

MAX_BYTES = 1024 * 1024
"""Of a page; of a longer one the beginning is read."""
MAX_SECONDS = 10.0
"""For a page with all its redirects."""
MAX_REDIRECTS = 3
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEADERS = {
    "accept": "text/html, text/*;q=0.9, application/json;q=0.9, */*;q=0.1",
    "accept-encoding": "identity",
    "user-agent": "Clawsite",
    "connection": "close",
}


class Page(NamedTuple):
    """The answer of a web server: its final address, its media type, and its first bytes."""

    url: str
    content_type: str
    body: bytes
    cut: bool


class NotFetched(Exception):
    """The page cannot be had; the message holds nothing of what the server has said."""


async def fetch(url: str, guard: Guard) -> Page:
    """The page at `url`. Each redirect is checked like a first address: its URL, and the address
    that is connected. Raises `NotFetched`, and `AddressRefused` for what the guard refuses."""
    try:
        async with asyncio.timeout(MAX_SECONDS):
            for _ in range(MAX_REDIRECTS + 1):
                url = urldefrag(url).url
                found = await _ask(url, guard)
                if isinstance(found, Page):
                    return found
                url = found
    except TimeoutError:
        raise NotFetched(f"The page did not come within {MAX_SECONDS:g} seconds.") from None
    raise NotFetched(f"The page is behind more than {MAX_REDIRECTS} redirects.")


async def _ask(url: str, guard: Guard) -> Page | str:
    """The page, or the address to which it redirects."""
    # They cost tens of megabytes, and most processes fetch no page.
    import httpcore2
    import httpx2

    from engine.http.httpx import HEAD, Transport

    guard.check_url(url)
    try:
        request = httpx2.Request("GET", url, headers=HEADERS)
        transport = Transport(url, guard)
    except (ValueError, httpx2.InvalidURL):
        raise NotFetched("This is no address of a web page.") from None
    try:
        response = await transport.handle_async_request(request)
        head = response.extensions[HEAD]
        if response.status_code in REDIRECTS and "location" in head:
            return urljoin(url, str(head["location"]))
        if response.status_code != 200:
            raise NotFetched(f"The server answered with the status {response.status_code}.")
        if head.get("content-encoding", "identity") != "identity":
            raise NotFetched("The server sent the page compressed.")
        body = await _beginning(response)
        kind = head.get("content-type", "").partition(";")[0].strip().lower()
        return Page(url, kind, body[:MAX_BYTES], len(body) > MAX_BYTES)
    except (OSError, ValueError, httpcore2.NetworkError, httpcore2.ProtocolError):
        raise NotFetched("The server cannot be reached.") from None
    finally:
        await transport.aclose()


async def _beginning(response: "httpx2.Response") -> bytes:
    """A little more than `MAX_BYTES` of the body, if there is as much."""
    body = bytearray()
    try:
        async with aclosing(response.aiter_raw()) as pieces:
            async for piece in pieces:
                body += piece
                if len(body) > MAX_BYTES:
                    break
    finally:
        await response.aclose()
    return bytes(body)
