"""Django's ASGI handler for the API, without a thread per request.

The stock handler opens a thread for each request and keeps it as long as the response streams
(200 streams: 200 threads), and hops to it twice more for signals. The API's views are coroutines
that go to the database in explicit steps (`accounts.database`), so none of that is needed here:
no middleware but the error envelope, no request signals.
"""

import asyncio
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponseBase
from django.urls import set_script_prefix

from clawsite.errors import envelope, with_envelope
from conversations.transports.streams import StreamResponse
from engine.errors import ClawError
from engine.ids import new_id


class ApiHandler(ASGIHandler):
    """Serves `/api/` and `/a/<slug>/api/`."""

    def load_middleware(self, is_async: bool = False) -> None:
        """Only the error envelope; sessions, CSRF and origins are `authorize`'s business."""
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = with_envelope(self._get_response_async)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            body = await self._read(receive)
        except RequestAborted:
            return
        except ClawError as error:
            await self.send_response(envelope(error, new_id("req")), send)
            return
        set_script_prefix("/")
        request = self.request_class(scope, BytesIO(body))
        request.urlconf = "clawsite.api_urls"  # on an agent's own host there is nothing else
        answering = asyncio.create_task(self._answer(request, send))
        leaving = asyncio.create_task(self._left(receive))
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(leaving)
            await _end(answering)

    async def _answer(self, request: HttpRequest, send: Any) -> HttpResponseBase:
        response: HttpResponseBase = await self._middleware_chain(request)
        if isinstance(response, StreamResponse):
            response.connect(request.scope.get("extensions", {}).get("clawsite.write"))
        try:
            await self.send_response(response, send)
        finally:
            response.close()
            if isinstance(response, StreamResponse):
                await response.aclose()
        return response

    async def _read(self, receive: Any) -> bytes:
        """The whole body, up to `CLAW_TRANSPORT_MAX_BYTES` and within `CLAW_REQUEST_TIMEOUT`.

        Raises ClawError `message_too_large`, RequestAborted."""
        parts, size, limit = [], 0, settings.CLAW_TRANSPORT_MAX_BYTES
        try:
            async with asyncio.timeout(settings.CLAW_REQUEST_TIMEOUT):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RequestAborted
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > limit:
                        raise ClawError("message_too_large", f"A body has at most {limit} bytes.")
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            raise ClawError("invalid_message", "The request body took too long.") from None

    async def _left(self, receive: Any) -> None:
        """Returns when the client has gone."""
        while (await receive())["type"] != "http.disconnect":
            pass


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancel a task if it still runs, and wait for it: views clean up when they are cancelled."""
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise
    except OSError:
        pass  # the client went away while we were sending
