"""`manage.py serve`: uvicorn with what it lacks.

- A stalled peer is aborted: uvicorn never frees its socket by itself.
- An address or headers without end are refused, before they fill the memory; that, and what is no
  HTTP, with the same envelope as any other error.
- Headers and body must arrive within `CLAW_REQUEST_TIMEOUT`, however slowly they dribble in.
- Shutdown in our order: announce, end the streams, drain the runs, and exit with 0.
"""

import asyncio
import contextlib
import ctypes
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

from django.conf import settings
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from clawsite.errors import envelope
from clawsite.server import garbage
from conversations import wiring
from engine.errors import ClawError
from engine.ids import new_id

log = logging.getLogger(__name__)

OPEN = State.OPEN
BACKLOG = 4096
LEAVE_SECONDS = 1.0  # for sockets to take their last frames

# A message of 32 KiB fits a query; httptools takes no address of 64 KiB.
MAX_URL, MAX_HEADERS = 60 * 1024, 64 * 1024  # bytes

LARGE = 128 * 1024  # bytes; glibc's own value to begin with
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h


class StallGuard:
    """Aborts a connection whose peer has not read for `CLAW_SLOW_CONSUMER_TIMEOUT`."""

    loop: asyncio.AbstractEventLoop
    transport: Any
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)  # type: ignore[misc]
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # The kernel sees what we do not: a host that is gone, and a closed connection whose
            # last bytes nobody takes.
            milliseconds = round(settings.CLAW_SLOW_CONSUMER_TIMEOUT * 1000)
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)

    def pause_writing(self) -> None:
        super().pause_writing()  # type: ignore[misc]
        if self._stalled is None:
            seconds = settings.CLAW_SLOW_CONSUMER_TIMEOUT
            self._stalled = self.loop.call_later(seconds, self._abort)

    def resume_writing(self) -> None:
        super().resume_writing()  # type: ignore[misc]
        self._moving()

    def connection_lost(self, exc: Exception | None) -> None:
        self._moving()
        super().connection_lost(exc)  # type: ignore[misc]

    def _moving(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _abort(self) -> None:
        log.info("a peer that does not read is cut")
        self.transport.abort()


class WebSocket(StallGuard, WebSocketsSansIOProtocol):
    """A WebSocket. Two things more in `scope["extensions"]`: `clawsite.abort()` cuts it without a
    handshake; `clawsite.write(texts)` sends them at once, or says that it cannot (False)."""

    async def send(self, message: Any) -> None:
        """Text on an open socket, nearly all there is to send, needs none of uvicorn's layers."""
        text = message.get("text")
        if text is None or not self.write([text.encode()]):
            await super().send(message)

    def write(self, texts: list[bytes]) -> bool:
        """Send text frames at once; False if the socket is not open, or its peer is behind."""
        transport = self.transport
        if self._stalled is not None or self.conn.state is not OPEN:
            return False
        if transport.is_closing():  # lost, and we are about to be told
            return False
        data = text_frame(texts[0]) if len(texts) == 1 else b"".join(map(text_frame, texts))
        transport.write(data)
        return True

    def data_received(self, data: bytes) -> None:
        if self.conn.parser_exc is None:  # else it only waits for its peer to stop
            super().data_received(data)

    def handle_parser_exception(self) -> None:
        """Say why it ends, and let the peer read that: a socket that is closed while more comes is
        reset, and a proxy that is told so passes nothing on. So it closes a moment later."""
        close = self.conn.close_sent
        assert close is not None
        why = {"type": "websocket.disconnect", "code": close.code, "reason": close.reason}
        self.queue.put_nowait(why)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.close_timer = self.loop.call_later(LEAVE_SECONDS, self.transport.close)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            extensions: dict[str, Any] = dict(self.scope["extensions"])
            extensions |= {"clawsite.abort": self.transport.abort, "clawsite.write": self.write}
            self.scope["extensions"] = extensions


def text_frame(data: bytes) -> bytes:
    """A whole unmasked text frame (RFC 6455, 5.2)."""
    length = len(data)
    if length < 126:
        return b"\x81%c%b" % (length, data)
    if length < 65536:
        return b"\x81\x7e%b%b" % (length.to_bytes(2, "big"), data)
    return b"\x81\x7f%b%b" % (length.to_bytes(8, "big"), data)


def write_chunks(cycle: RequestResponseCycle, pieces: list[bytes]) -> bool:
    """Send pieces of a chunked body at once; False if it has not begun, or its peer is behind."""
    if cycle.transport.is_closing() or cycle.flow.write_paused or cycle.response_complete:
        return False
    if not cycle.response_started or not cycle.chunked_encoding:
        return False
    cycle.transport.write(b"".join(b"%x\r\n%b\r\n" % (len(data), data) for data in pieces))
    return True


class TooLarge(Exception):
    """A request whose head is more than we read; its text is the status."""


REFUSALS = {
    400: ("invalid_message", "The request cannot be read."),
    414: ("message_too_large", "The address is too long."),
    431: ("message_too_large", "The headers are too large."),
}


def refusal(status: int) -> bytes:
    """The response to a head that is no request, after which the connection ends."""
    request_id = new_id("req")
    body = envelope(ClawError(*REFUSALS[status]), request_id).content
    head = (
        f"content-type: application/json\r\nx-request-id: {request_id}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return bytes(STATUS_LINE[status] + head.encode() + body)


class LimitedHead(HttpToolsProtocol):
    """HTTP whose address (414), headers and trailers (431) have a size limit."""

    _headers_size = 0
    _unparsed = 0  # bytes since the parser last had something: it collects a header until its end

    def data_received(self, data: bytes) -> None:
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > MAX_HEADERS and not self.transport.is_closing():
            self._refuse(431)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._headers_size = self._unparsed = 0

    def on_url(self, url: bytes) -> None:
        self._unparsed = 0
        super().on_url(url)
        if len(self.url) > MAX_URL:
            raise TooLarge(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._unparsed = 0
        self._headers_size += len(name) + len(value)
        if self._headers_size > MAX_HEADERS:
            raise TooLarge(431)
        super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Called while what the parser, or one of the above, has raised is handled."""
        error = sys.exception()
        cause = error.__context__ if error else None
        self._refuse(cause.args[0] if isinstance(cause, TooLarge) else 400)

    def _refuse(self, status: int) -> None:
        if self.cycle is None or self.cycle.response_complete:  # else it would cut into an answer
            self.transport.write(refusal(status))
        self.transport.close()


class Http(StallGuard, LimitedHead):
    """HTTP with one absolute deadline for a request, headers and body."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_request()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_request()

    def on_headers_complete(self) -> None:
        if self._deadline is not None:  # from here on the API answers one that is late itself
            self._cut_at(self._deadline.when() + LEAVE_SECONDS)
        super().on_headers_complete()
        if self.cycle is not None:  # else it becomes a WebSocket
            scope: dict[str, Any] = self.scope  # type: ignore[assignment]
            scope["extensions"] = {"clawsite.write": partial(write_chunks, self.cycle)}

    def on_message_complete(self) -> None:
        self._have_request()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._have_request()
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        self._cut_at(self.loop.time() + settings.CLAW_REQUEST_TIMEOUT)

    def _cut_at(self, when: float) -> None:
        self._have_request()
        self._deadline = self.loop.call_at(when, self.transport.close)

    def _have_request(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class ClawServer(Server):
    """Starts and stops the run engine around the server."""

    def __init__(self, config: Config, work: int | None = None) -> None:
        super().__init__(config)
        self._work = work

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await wiring.start(work=self._work)
        await super().startup(sockets)
        garbage.settle()
        log.info("serving on http://%s:%d", self.config.host, self.config.port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await wiring.announce_shutdown(LEAVE_SECONDS)
        await wiring.drain(settings.CLAW_SHUTDOWN_GRACE)
        await super().shutdown(sockets)
        await wiring.release()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn does, but it is not raised again afterwards: our exit code is 0."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def _give_memory_back() -> None:
    """Have glibc return large freed blocks at once.

    By itself it raises its thresholds with every large block that is freed, up to 64 MiB: after a
    few long answers at once the process would stay as large as it ever was. mallopt(3)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_TRIM_THRESHOLD, LARGE)
        mallopt(M_MMAP_THRESHOLD, LARGE)


def listening(host: str, port: int, fd: int | None) -> socket.socket:
    """The socket to serve on, or the one that a supervisor has bound: before anything else, so
    that a port that is in use is said at once. Raises OSError."""
    if fd is not None:
        return socket.socket(fileno=fd)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def serve(place: socket.socket, *, work: int | None = None) -> None:
    """Serve on a socket (see `listening`) until SIGTERM or SIGINT.

    `work`: see `conversations.wiring.start`."""
    _give_memory_back()
    host, port = place.getsockname()[:2]
    config = Config(
        "clawsite.asgi:application",
        host=host,
        port=port,
        loop="uvloop",
        http=Http,
        ws=WebSocket,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        ws_per_message_deflate=False,
        ws_max_size=settings.CLAW_TRANSPORT_MAX_BYTES,
        ws_ping_interval=settings.CLAW_PING_INTERVAL,
        ws_ping_timeout=settings.CLAW_PING_INTERVAL,
        timeout_graceful_shutdown=LEAVE_SECONDS,
        proxy_headers=False,
        backlog=BACKLOG,
    )
    ClawServer(config, work).run([place])
