"""The HTTP of one MCP server: through the guard, within bounds, each failure at its own request.

The SDK ends the whole connection, and with it calls that are under way, when one request cannot
be sent. So a failure becomes an answer here, and `Trace` keeps what it was.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass

import httpx2

from engine.http.guard import AddressRefused, Guard
from engine.http.httpx import HEAD, LOST, Transport

MAX_MESSAGE = 1024 * 1024
"""Bytes of one message of a server."""
MAX_STREAM = 16 * 1024 * 1024
"""Bytes of one event stream, in which a server may say much that nobody has asked for."""
SESSION = "mcp-session-id"
UNREACHABLE = 502
"""The status of the answer that stands for a failure."""


@dataclass
class Trace:
    """The end of the last request of a call: the server's `status`, or a `problem` of its own.
    `sent`: the server may have got the request."""

    status: int = 0
    problem: str = ""
    sent: bool = False


TRACE: ContextVar[Trace] = ContextVar("TRACE")
"""The trace of the call that the current task makes. The SDK passes the context on."""


class Exchange(httpx2.AsyncBaseTransport):
    """See `engine.http.httpx.Transport`."""

    def __init__(self, url: str, guard: Guard | None) -> None:
        """Raises `ValueError` for what is no address of a web server."""
        self._transport = Transport(url, guard)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The server's answer; one with the status `UNREACHABLE` where there is none."""
        trace = TRACE.get(Trace())
        trace.problem, trace.sent = "", False
        try:
            response = await self._transport.handle_async_request(request)
        except AddressRefused:
            return _no_answer(trace, "its address is not allowed")
        except LOST:
            trace.sent = True
            return _no_answer(trace, "the connection was lost before it answered")
        except (OSError, UnicodeError):  # of dialling: nothing was sent
            return _no_answer(trace, "it cannot be reached")
        trace.status, trace.sent = response.status_code, True
        if session := response.extensions[HEAD].get(SESSION):
            response.headers[SESSION] = session
        if isinstance(response.stream, httpx2.AsyncByteStream) and not response.is_closed:
            streams = response.headers.get("content-type", "").startswith("text/event-stream")
            response.stream = Body(response.stream, MAX_STREAM if streams else MAX_MESSAGE, trace)
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()


class Body(httpx2.AsyncByteStream):
    """The body of an answer, of at most `most` bytes. A loss of the connection is an error that
    the SDK takes as one of this answer alone."""

    def __init__(self, stream: httpx2.AsyncByteStream, most: int, trace: Trace) -> None:
        self._stream, self._most, self._trace = stream, most, trace

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        try:
            async with aclosing(aiter(self._stream)) as parts:  # type: ignore[type-var]
                async for part in parts:
                    size += len(part)
                    if size > self._most:
                        self._trace.problem = "its answer is too large"
                        raise httpx2.StreamError(self._trace.problem)
                    yield part
        except LOST:
            self._trace.problem = "the connection was lost while it answered"
            raise httpx2.StreamError(self._trace.problem) from None

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._stream.aclose()


def _no_answer(trace: Trace, problem: str) -> httpx2.Response:
    trace.status, trace.problem = UNREACHABLE, problem
    return httpx2.Response(UNREACHABLE)
