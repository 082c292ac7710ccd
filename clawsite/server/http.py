"""HTTP with what uvicorn lacks: limits for the head and the body of every request, one deadline for
both, HTTP/1.0, and upgrades that are always answered."""

import asyncio
from functools import partial
from typing import Any

import httptools
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from clawsite.http.bodies import max_body
from clawsite.http.spool import LARGE
from clawsite.server.intake import Intake, Refused
from clawsite.server.refusals import LEAVE_SECONDS, names_host
from clawsite.server.stalls import StallGuard

# A message of 32 KiB fits a query; httptools takes no address of 64 KiB.
MAX_URL, MAX_HEADERS = 60 * 1024, 64 * 1024  # bytes
MAX_HEADER_FIELDS = 256


class Limited(Intake):
    """Address (414), headers and trailers (431) and body (413) have a size limit, on every path."""

    _headers_size = 0
    _unparsed = 0  # bytes since the parser last had something: it collects a header until its end
    _body_size = 0

    def data_received(self, data: bytes) -> None:
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > MAX_HEADERS and not self.transport.is_closing():
            self.refuse(431)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._headers_size = self._unparsed = self._body_size = 0

    def on_url(self, url: bytes) -> None:
        self._unparsed = 0
        super().on_url(url)
        if len(self.url) > MAX_URL:
            raise Refused(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Blanks around a value do not count (RFC 9110, 5.5)."""
        self._unparsed = 0
        self._headers_size += len(name) + len(value)
        if self._headers_size > MAX_HEADERS or len(self.headers) >= MAX_HEADER_FIELDS:
            raise Refused(431)
        super().on_header(name.lower(), value.strip(b" \t"))

    def on_headers_complete(self) -> None:
        for name, value in self.headers:
            if name == b"content-length" and int(value) > self._max_body():
                raise Refused(413)
        super().on_headers_complete()

    def check_host(self) -> None:
        """Refuse a request whose Host cannot be told: see `names_host`."""
        hosts = [value for name, value in self.headers if name == b"host"]
        if not names_host(hosts, self.parser.get_http_version()):
            raise Refused(400)

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        self._body_size += len(body)
        size = self._body_size
        if size > settings.CLAW_TRANSPORT_MAX_BYTES and size > self._max_body():
            raise Refused(413)
        super().on_body(body)

    def _max_body(self) -> int:
        path = self.url.partition(b"?")[0].decode("latin-1")
        return max_body(self.parser.get_method().decode("ascii"), path)


class Http(StallGuard, Limited):
    """HTTP with one absolute deadline for a request, headers and body."""

    _deadline: asyncio.TimerHandle | None = None
    _arriving = False  # a request has begun and has not come whole

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_request()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._arriving = True
        self._expect_request()

    def on_headers_complete(self) -> None:
        if self._deadline is not None:  # from here on the API answers one that is late itself
            self._cut_at(self._deadline.when() + LEAVE_SECONDS)
        self.check_host()
        if self.parser.should_upgrade():
            self._check_upgrade()
            return  # see `upgraded`
        super().on_headers_complete()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope["extensions"] = {
            "clawsite.write": partial(self.write_chunks, self.cycle),
            "clawsite.drained": self.flow.drain,
        }

    def write_chunks(self, cycle: RequestResponseCycle, pieces: list[bytes]) -> bool:
        """Send pieces of a chunked body at once; False if it has not begun, or its peer is
        behind."""
        if cycle.transport.is_closing() or cycle.flow.write_paused or cycle.response_complete:
            return False
        if not cycle.response_started or not cycle.chunked_encoding:
            return False
        data = b"".join(b"%x\r\n%b\r\n" % (len(data), data) for data in pieces)
        if len(data) > LARGE:
            self.write_large(b"".join(pieces))
        else:
            cycle.transport.write(data)
        return True

    def part(self, data: bytes, *, first: bool, last: bool) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data)

    def on_message_complete(self) -> None:
        self._arriving = False
        self._have_request()
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._have_request()
        super().connection_lost(exc)

    def upgraded(self, rest: bytes) -> None:
        """A WebSocket begins; any other protocol is passed over (RFC 9110, 7.8), as when curl would
        like HTTP/2."""
        if self._should_upgrade():
            self._open_websocket(rest)
            return
        head = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self._version())]
        head += [b"%b: %b" % field for field in self.headers if field[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self._take(b"\r\n".join([*head, b"", b""]) + rest)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        old = cycle.scope["http_version"] == "1.0"
        super()._start_asgi_task(cycle, partial(without_chunks, cycle, app) if old else app)

    def _shut(self) -> None:
        """Stops the timer too: a body that is not read cannot come in time."""
        self._have_request()
        super()._shut()

    def _go_on(self) -> None:
        super()._go_on()
        if self._arriving and self._deadline is None and not self.flow.shut:
            self._expect_request()

    # -- upgrades

    def _should_upgrade(self) -> bool:
        """Whether one of the protocols asked for is WebSocket, and there is one here; names have no
        case."""
        if self.ws_protocol_class is None:
            return False
        asked = [value for name, value in self.headers if name == b"upgrade"]
        return any(one.strip().lower() == b"websocket" for one in b",".join(asked).split(b","))

    def _check_upgrade(self) -> None:
        if self.parser.get_method() == b"CONNECT":
            raise Refused(400)
        if not self._should_upgrade():
            return
        fields = dict(self.headers)
        if self.answering() or fields.get(b"content-length", b"0").strip(b"0"):
            raise Refused(400)  # a handshake comes alone, and has no body
        if b"transfer-encoding" in fields:
            raise Refused(400)

    def _open_websocket(self, rest: bytes) -> None:
        self._have_request()
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        address = httptools.parse_url(self.url)  # the absolute form names a host, too
        path = address.path.decode("ascii")
        query = (address.query or b"").decode("ascii")
        new_socket: Any = self.ws_protocol_class
        socket = new_socket(
            config=self.config, server_state=self.server_state, app_state=self.app_state
        )
        socket.connection_made(self.transport)
        self.transport.set_protocol(socket)
        method = self.parser.get_method().decode("ascii")
        socket.open(method, f"{path}?{query}", self._version().decode("ascii"), self.headers, rest)

    def _version(self) -> bytes:
        return bytes(self.parser.get_http_version(), "ascii")

    # -- the deadline

    def _expect_request(self) -> None:
        self._cut_at(self.loop.time() + settings.CLAW_REQUEST_TIMEOUT)

    def _cut_at(self, when: float) -> None:
        self._have_request()
        self._deadline = self.loop.call_at(when, self.transport.close)

    def _have_request(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


async def without_chunks(
    cycle: RequestResponseCycle, app: Any, scope: Any, receive: Any, send: Any
) -> None:
    """An application for a client of HTTP/1.0, which knows no chunks: a body of unknown length ends
    with the connection (RFC 9112, 6.3)."""
    endless = False

    async def plain(message: Any) -> None:
        nonlocal endless
        if message["type"] == "http.response.start":
            names = {name.lower() for name, _ in message.get("headers", [])}
            if endless := b"content-length" not in names:
                cycle.chunked_encoding = False
        elif endless:
            cycle.expected_content_length = len(message.get("body", b""))
        await send(message)

    await app(scope, receive, plain)
