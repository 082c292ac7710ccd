"""Sends one message to the address of a webhook."""

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from engine.http.guard import AddressRefused, Guard

if TYPE_CHECKING:
    import httpx2

MAX_SECONDS = 15.0
"""For an attempt, from the look-up of the name to the status of the answer."""
HEADERS = {
    "content-type": "application/json",
    "user-agent": "Clawsite",
    "connection": "close",
}


class Outcome(NamedTuple):
    """The end of an attempt: the status of the answer if there was one, and the kind of the error,
    empty if the message was taken."""

    status: int | None
    error: str
    duration_ms: int


async def send(url: str, headers: dict[str, str], body: str, guard: Guard) -> Outcome:
    """POST a message. Any status of 2xx takes it; a redirect is not followed. It never raises."""
    begun, status = monotonic(), None
    try:
        async with asyncio.timeout(MAX_SECONDS):
            status, error = await _post(url, headers, body, guard)
    except TimeoutError:
        error = "timeout"
    return Outcome(status, error, round((monotonic() - begun) * 1000))


async def _post(
    url: str, headers: dict[str, str], body: str, guard: Guard
) -> tuple[int | None, str]:
    # They cost tens of megabytes, and most installations have no webhooks.
    import httpcore2
    import httpx2

    from engine.http.httpx import Transport

    try:
        guard.check_url(url)
        request = httpx2.Request("POST", url, headers=HEADERS | headers, content=body.encode())
        transport = Transport(url, guard)
    except AddressRefused:
        return None, "address_refused"
    except (ValueError, httpx2.InvalidURL):
        return None, "unreachable"
    try:
        response = await transport.handle_async_request(request)
        await response.aclose()
        return response.status_code, _problem(response)
    except AddressRefused:
        return None, "address_refused"
    except (OSError, ValueError, httpcore2.NetworkError, httpcore2.ProtocolError):
        return None, "unreachable"
    finally:
        await transport.aclose()


def _problem(response: "httpx2.Response") -> str:
    """The kind of an error that a status tells."""
    status = response.status_code
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return "redirect_refused"
    return "server_error" if status >= 500 else "client_error"
