"""`manage.py runserver`: Daphne made decent for development.

Out of the box it buffers without bound in both directions (django/daphne#170), drops the reason of
a close, and lets everything fall at SIGTERM. This module adds, from outside:

- a send waits while its peer has more than `HIGH_WATER` unread, and a stalled peer is aborted;
- a socket whose consumer is behind is not read; a body has a largest size;
- close codes and reasons go out as given, 1012 included;
- the run engine starts before the first connection, and drains before the last one goes.
"""

import asyncio
import logging
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.server import Server
from django.conf import settings
from twisted.internet import defer, reactor

from clawsite.http.bodies import max_body
from clawsite.server.parts import PARTS
from clawsite.server.refusals import LEAVE_SECONDS, names_host, refusal
from conversations.process import wiring
from core.database import keep_no_statements

log = logging.getLogger(__name__)

HIGH_WATER = 64 * 1024
QUEUED_FRAMES = 64
POLL_SECONDS = 0.02  # only while a peer is behind: Twisted does not say when its buffer is empty


class BoundedQueue(asyncio.Queue[Any]):
    """Messages of a client that its consumer has not taken; the socket is not read while it is
    full."""

    def __init__(self, transport: Any) -> None:
        super().__init__()
        self._transport = transport
        self._paused = False

    def put_nowait(self, item: Any) -> None:
        super().put_nowait(item)
        if self.qsize() >= QUEUED_FRAMES and not self._paused:
            self._paused = True
            self._transport.pauseProducing()

    async def get(self) -> Any:
        item = await super().get()
        if self._paused and self.empty():
            self._paused = False
            self._transport.resumeProducing()
        return item


class CappedRequest(WebRequest):
    """A request that names its host, with a body of `max_body` at most."""

    _received = 0
    _refused = False

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        self._cap(length or 0)

    def handleContentChunk(self, data: bytes) -> None:
        self._received += len(data)
        if not self._cap(self._received):
            super().handleContentChunk(data)

    def _cap(self, size: int) -> bool:
        path = self.uri.partition(b"?")[0].decode("latin-1")
        if size > max_body(self.method.decode("latin-1"), path) and not self._refused:
            self._refuse(413)
        return self._refused

    def process(self) -> Any:
        hosts = self.requestHeaders.getRawHeaders(b"host") or []
        version = self.clientproto.decode("latin-1").partition("/")[2]
        if not self._refused and not names_host(hosts, version):
            self._refuse(400)
        return None if self._refused else super().process()

    def _refuse(self, status: int) -> None:
        self._refused = True
        self.channel.transport.write(refusal(status))
        # Closing with the rest unread would be a reset, and the answer lost with it.
        leave = self.channel.transport.loseConnection
        reactor.callLater(LEAVE_SECONDS, leave)  # type: ignore[arg-type]  # zope's interface: no self


class CappedFactory(HTTPFactory):
    """Makes connections whose requests are capped."""

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = CappedRequest
        return protocol


class ClawDaphne(Server):
    """Daphne with back-pressure, honest closes and our shutdown."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        interval = settings.CLAW_PING_INTERVAL
        limit = settings.CLAW_TRANSPORT_MAX_BYTES
        kwargs |= {"ping_interval": interval, "ping_timeout": interval, "server_name": ""}
        kwargs |= {"websocket_max_message_size": limit, "websocket_max_frame_size": limit}
        super().__init__(*args, **kwargs)

    @property
    def http_factory(self) -> CappedFactory:
        """Daphne's `run` makes a plain one and listens with what it finds here."""
        return CappedFactory(self)

    @http_factory.setter
    def http_factory(self, plain: HTTPFactory) -> None:
        pass

    def run(self) -> None:
        """Start the run engine in the reactor's loop, then serve."""
        loop = reactor._asyncioEventloop
        asyncio.set_event_loop(loop)
        keep_no_statements()
        self._services = loop.run_until_complete(wiring.start(also=PARTS))
        super().run()

    def create_application(self, protocol: Any, scope: Any) -> Any:
        """Creates the application with a bounded queue; the rest is Daphne's."""
        transport = _transport(protocol)
        queue = BoundedQueue(transport)
        if scope["type"] == "websocket":
            protocol.failByDrop = False  # but by a close frame that says why
        scope.setdefault("asgi", {"version": "3.0"})
        scope["state"] = {"services": self._services}
        if transport is not None:
            scope.setdefault("extensions", {})["clawsite.abort"] = transport.abortConnection
        instance = self.application(
            scope=scope,
            receive=queue.get,
            send=lambda message: self.handle_reply(protocol, message),
        )
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(instance)
        return queue

    async def handle_reply(self, protocol: Any, message: Any) -> None:
        """Hand a message to the connection, and wait until its peer has taken most of it."""
        if message["type"] == "websocket.close" and protocol.state == protocol.STATE_OPEN:
            _close(protocol, message.get("code", 1000), message.get("reason", ""))
            return
        await super().handle_reply(protocol, message)
        transport = _transport(protocol)
        if transport is None or _unread(transport) <= HIGH_WATER:
            return
        try:
            async with asyncio.timeout(settings.CLAW_SLOW_CONSUMER_TIMEOUT):
                while _unread(transport) > HIGH_WATER and not transport.disconnected:  # noqa: ASYNC110
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            log.info("a peer that does not read is cut")
            transport.abortConnection()

    def kill_all_applications(self) -> Any:
        """The shutdown trigger: announce and drain first; Twisted waits for it."""
        drained = defer.Deferred.fromFuture(asyncio.ensure_future(self._drain()))
        return drained.addCallback(lambda _: super(ClawDaphne, self).kill_all_applications())

    async def _drain(self) -> None:
        await self._services.announce_shutdown(LEAVE_SECONDS)
        await self._services.stop(settings.CLAW_SHUTDOWN_GRACE)

    def log_action(self, protocol: str, action: str, details: dict[str, Any]) -> None:
        """Without the query string: it may hold a ticket."""
        path = str(details.get("path", "")).partition("?")[0]
        super().log_action(protocol, action, details | {"path": path})


def _transport(protocol: Any) -> Any:
    """The TCP connection of a WebSocket or of an HTTP request."""
    channel = getattr(protocol, "channel", None)
    return channel.transport if channel is not None else protocol.transport


def _unread(transport: Any) -> int:
    """Bytes that Twisted holds for this peer (twisted.internet.abstract.FileDescriptor)."""
    return len(transport.dataBuffer) - transport.offset + transport._tempDataLen


def _close(protocol: Any, code: int, reason: str) -> None:
    """Autobahn's sendClose takes only 1000 and 3000-4999; the others go out as a bare frame."""
    if code == 1000 or 3000 <= code <= 4999:
        protocol.sendClose(code=code, reason=reason)
    else:
        protocol.sendCloseFrame(code=code, reasonUtf8=reason.encode(), isReply=False)
