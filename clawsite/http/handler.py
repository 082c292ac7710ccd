"""Django's ASGI handler for the API, without a thread per request.

The stock handler opens a thread for each request and keeps it as long as the response streams
(200 streams: 200 threads), and hops to it twice more for signals. The API's views are coroutines
that go to the database in explicit steps (`core.database`), so none of that is needed here:
no middleware but the error envelope, no request signals.
"""

import asyncio
from contextlib import closing
from functools import partial
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponseBase
from django.urls import set_script_prefix

from clawsite.http.bodies import ApiRequest, Body, max_body
from clawsite.http.errors import envelope, with_envelope
from clawsite.http.exchange import Exchange
from clawsite.http.spool import on_disk
from conversations.transports.sse.streams import StreamResponse
from engine.errors import ClawError
from wire.errors import status_of


class ApiHandler(ASGIHandler):
    """Serves the API and the other addresses whose views are coroutines."""

    request_class = ApiRequest

    def __init__(self, urlconf: str = "clawsite.api_urls") -> None:
        super().__init__()
        self._urlconf = urlconf

    def load_middleware(self, is_async: bool = False) -> None:
        """Loads only the error envelope; `authorize` checks sessions, CSRF and origins."""
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = with_envelope(self._get_response_async)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        exchange = Exchange(scope)
        try:
            body = await self._read(scope, receive)
        except RequestAborted:
            exchange.end()
            return
        except ClawError as error:
            exchange.begin("other", status_of(error))
            await self.send_response(envelope(error, exchange.id, scope["path"]), send)
            exchange.end()
            return
        set_script_prefix("/")
        with closing(self.request_class(scope, body)) as request:
            request.urlconf = self._urlconf  # on an agent's own host there is nothing else
            answering = asyncio.create_task(self._answer(request, exchange, send))
            leaving = asyncio.create_task(self._left(receive))
            try:
                await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _end(leaving)
                await _end(answering)

    async def _answer(self, request: HttpRequest, exchange: Exchange, send: Any) -> None:
        try:
            response: HttpResponseBase = on_disk(await self._middleware_chain(request))
            exchange.begin(_route(request), response.status_code)
            await self._send(request, response, send)
        finally:
            exchange.end()

    async def _send(self, request: HttpRequest, response: HttpResponseBase, send: Any) -> None:
        if isinstance(response, StreamResponse):
            extensions = request.scope.get("extensions", {})
            response.connect(extensions.get("clawsite.write"))
            send = partial(_send_and_wait, send, extensions.get("clawsite.drained"))
        try:
            await self.send_response(response, send)
        finally:
            response.close()
            if isinstance(response, StreamResponse):
                await response.aclose()

    async def _read(self, scope: Any, receive: Any) -> IO[bytes]:
        """The whole body, up to `max_body` and within `CLAW_REQUEST_TIMEOUT`.

        Raises ClawError `message_too_large`, `unavailable`; RequestAborted."""
        try:
            limit = max_body(scope["method"], scope["path"])
            async with asyncio.timeout(settings.CLAW_REQUEST_TIMEOUT):
                with Body(limit) as body:
                    while True:
                        message = await receive()
                        if message["type"] == "http.disconnect":
                            raise RequestAborted
                        body.add(message.get("body", b""))
                        if not message.get("more_body", False):
                            return body.whole()
        except TimeoutError:
            raise ClawError("invalid_message", "The request body took too long.") from None

    async def _left(self, receive: Any) -> None:
        """Returns when the client has gone."""
        while (await receive())["type"] != "http.disconnect":
            pass


async def _send_and_wait(send: Any, drained: Any, message: Any) -> None:
    """Wait until the client has read most of it: what comes next, and may be large, is not read
    from the log before."""
    await send(message)
    if drained is not None:
        await drained()


def _route(request: HttpRequest) -> str:
    """The pattern of the address, the same for both forms of it; none is "other"."""
    match = request.resolver_match
    return match.route.removeprefix("a/<slug>/") or "page" if match else "other"


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
