"""The transport of httpx clients: it connects through the guarded dialer.

Addresses, guard, proxy and TLS are as everywhere else; HTTP/1.1 and the pool are httpcore's. The
client sees only the parts of a response that we use: there are no cookies, no compression and no
redirects, and a refusal's body is bounded.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from time import monotonic
from typing import Any, cast

import httpcore2
import httpx2

from engine.http.connection import END_OF_BODY_WAIT, REFUSAL_BYTES
from engine.http.dialer import Dialer, tls_context
from engine.http.guard import Guard
from engine.http.pool import KEEPALIVE_SECONDS

MAX_UNREAD = 1024 * 1024
"""Bytes; in a turn of the loop 64 KiB come at most, and the reader takes most of them."""

AT_ONCE, MAX_READ = 0.01, 4096
"""Seconds after which all others of the loop have their turn, and bytes that are read between two
looks at the clock: in chunks of a byte each h11 takes some 15 ms for them."""

USED_HEADERS = frozenset({b"content-type"})
HEAD = "clawsite.head"
"""The extension of a response with all headers, for ourselves: the client would act on some, and
decompress, say."""

LOST = (httpcore2.NetworkError, httpcore2.ProtocolError)


class Stream(asyncio.Protocol, httpcore2.AsyncNetworkStream):
    """A connection to read from and write to. Its caller, who knows what progress is, keeps the
    timeouts."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._lost = False
        self._until = 0.0  # then others have their turn
        self._error: Exception | None = None
        self._arrival: asyncio.Future[None] | None = None

    async def read(self, max_bytes: int, *args: Any, **kwargs: Any) -> bytes:
        """See `httpcore2.AsyncNetworkStream`. A cancel here loses nothing that came."""
        if monotonic() >= self._until:
            await asyncio.sleep(0)
            self._until = monotonic() + AT_ONCE
        while not self._unread and not self._lost:
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
            self._until = monotonic() + AT_ONCE
        if not self._unread and self._error is not None:
            raise httpcore2.ReadError(repr(self._error))
        data = bytes(self._unread[: min(max_bytes, MAX_READ)])
        del self._unread[: len(data)]
        return data

    async def write(self, buffer: bytes, *args: Any, **kwargs: Any) -> None:
        """See `httpcore2.AsyncNetworkStream`. It never waits: a request is in memory as it is."""
        if self._transport.is_closing():
            raise httpcore2.WriteError("the connection is closed")
        if buffer:  # h11 ends a request with nothing; sent, it finds the reset before the answer
            self._transport.write(buffer)

    async def aclose(self) -> None:
        """Close it at once."""
        self._transport.abort()

    async def start_tls(self, *args: Any, **kwargs: Any) -> "Stream":
        """The dialer has done that."""
        return self

    def get_extra_info(self, info: str) -> Any:
        """`is_readable`: a connection that rests and has something to read cannot be used again."""
        if info == "is_readable":
            return bool(self._unread) or self._transport.is_closing()
        return None

    # --- called by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._unread += data
        if len(self._unread) > MAX_UNREAD:  # no request has asked for it
            self._transport.abort()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._lost, self._error = True, error
        self._wake()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)


class Backend(httpcore2.AsyncNetworkBackend):
    """Connects to the dialer's server, whatever it is asked for."""

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> Stream:
        """See `httpcore2.AsyncNetworkBackend`. Raises what `Dialer.dial` does."""
        return await self._dialer.dial(Stream)


class Transport(httpx2.AsyncBaseTransport):
    """The way to one server. `guard` None: the operator chose it."""

    def __init__(self, base_url: str, guard: Guard | None) -> None:
        """Raises `ValueError` for what is no address of a web server."""
        dialer = Dialer(base_url, guard)
        self._proxy = dialer.reads_requests()
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls_context(),
            max_connections=None,
            max_keepalive_connections=None,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=Backend(dialer),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See `httpx2.AsyncBaseTransport`. Raises errors of httpcore, and what dialling does."""
        response = await self._pool.handle_async_request(self._translated(request))
        headers = [
            (name, value) for name, value in response.headers if name.lower() in USED_HEADERS
        ]
        head = {
            name.decode("latin-1").lower(): value.decode("latin-1").strip()
            for name, value in response.headers
        }
        more: dict[str, Any] = {"headers": headers, "extensions": {HEAD: head}}
        if 200 <= response.status < 300:
            return httpx2.Response(response.status, **more, stream=Body(response))
        words = await read_refusal(response)
        return httpx2.Response(response.status, **more, content=words)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()
        await asyncio.sleep(0)  # the loop closes the sockets in its next turn

    def _translated(self, request: httpx2.Request) -> httpcore2.Request:
        url, target, headers = request.url, request.url.raw_path, request.headers.raw
        if self._proxy is not None:
            target = b"http://%b%b" % (url.netloc, target)
            headers += [(n.encode(), value.encode()) for n, value in self._proxy.headers.items()]
        return httpcore2.Request(
            request.method,
            httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=target),
            headers=headers,
            content=request.stream,
            extensions=request.extensions,
        )


class Body(httpx2.AsyncByteStream):
    """The body of an answer, as it comes."""

    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._response.aiter_stream()

    async def aclose(self) -> None:
        """Let the connection go; it is closed unless the body is over."""
        await self._response.aclose()


async def read_refusal(response: httpcore2.Response) -> bytes:
    """The beginning of a refusal's body, as far as it comes soon."""
    words = bytearray()
    try:
        async with (
            asyncio.timeout(END_OF_BODY_WAIT),
            aclosing(response.aiter_stream()) as body,
        ):
            async for data in body:
                words += data
                if len(words) >= REFUSAL_BYTES:
                    break
    except (TimeoutError, *LOST):
        pass  # the status says enough
    finally:
        await response.aclose()
    return bytes(words[:REFUSAL_BYTES])
