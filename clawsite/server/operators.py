"""The operators' routes in a process that serves no clients: `manage.py work`."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

from uvicorn import Config, Server

from clawsite.http.handler import ApiHandler
from clawsite.server.http import Http
from conversations.process.services import Services

log = logging.getLogger(__name__)


class OperatorServer(Server):
    """Answers `clawsite.operator.urls` beside the work of the process."""

    def __init__(self, place: socket.socket, services: Services) -> None:
        super().__init__(
            Config(
                ApiHandler("clawsite.operator.urls"),
                http=Http,
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._place, self._services = place, services
        self._task: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.lifespan.state["services"] = self._services
        await super().startup(sockets)

    def start(self) -> None:
        """Begin to answer."""
        self._task = asyncio.create_task(self.serve([self._place]))
        host, port = self._place.getsockname()[:2]
        log.info("answering operators on http://%s:%d/metrics", host, port)

    async def stop(self) -> None:
        """The end of `start`."""
        self.should_exit = True
        if self._task is not None:
            await self._task

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """They are for the process, and it tells us."""
        yield
