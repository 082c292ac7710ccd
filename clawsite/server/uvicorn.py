"""`manage.py serve`: uvicorn with what it lacks.

- Connections that cannot occupy it: see `clawsite.server.http` and `clawsite.server.websocket`.
- Shutdown in our order: announce, end the streams, drain the runs, and exit with 0.
"""

import asyncio
import contextlib
import ctypes
import logging
import signal
import socket
from collections.abc import Iterator

from django.conf import settings
from uvicorn import Config, Server

from clawsite.server import garbage
from clawsite.server.http import Http
from clawsite.server.parts import PARTS
from clawsite.server.refusals import LEAVE_SECONDS
from clawsite.server.websocket import WebSocket
from conversations.process import wiring
from core.database import keep_no_statements

log = logging.getLogger(__name__)

BACKLOG = 4096

LARGE = 128 * 1024  # bytes; glibc's own value to begin with
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h


class ClawServer(Server):
    """Starts and stops the run engine around the server."""

    def __init__(self, config: Config, work: int | None = None, parent: int | None = None) -> None:
        super().__init__(config)
        self._work, self._parent = work, parent

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        keep_no_statements()
        self._services = await wiring.start(work=self._work, also=PARTS)
        self.lifespan.state["services"] = self._services  # of every connection's scope
        await super().startup(sockets)
        garbage.settle()
        log.info("serving on http://%s:%d", self.config.host, self.config.port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._services.announce_shutdown(LEAVE_SECONDS)
        await self._services.drain(settings.CLAW_SHUTDOWN_GRACE)
        await super().shutdown(sockets)
        await self._services.release()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures signals for uvicorn, but raises none again afterwards: our exit code is 0."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        if self._parent is not None:
            loop.add_reader(self._parent, self._orphaned, loop, self._parent)
        yield

    def _orphaned(self, loop: asyncio.AbstractEventLoop, parent: int) -> None:
        """The supervisor has died: nobody would restart this process, or stop it."""
        loop.remove_reader(parent)
        log.error("the supervisor has died: this process leaves")
        self.handle_exit(signal.SIGTERM, None)


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


def serve(place: socket.socket, *, work: int | None = None, parent: int | None = None) -> None:
    """Serve on a socket (see `listening`) until SIGTERM or SIGINT.

    `work`: see `conversations.wiring.start`; `parent`: a pipe that ends with the supervisor."""
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
        timeout_graceful_shutdown=round(LEAVE_SECONDS),
        proxy_headers=False,
        backlog=BACKLOG,
    )
    ClawServer(config, work, parent).run([place])
