"""Peers that do not read: uvicorn never frees their sockets by itself, and what it has written for
them stays in memory."""

import asyncio
import logging
import socket
from typing import IO, Any

from django.conf import settings

from clawsite.http.spool import PIECE, written

log = logging.getLogger(__name__)


class StallGuard:
    """Aborts a connection whose peer has not read for `CLAW_SLOW_CONSUMER_TIMEOUT`. Of something
    large the part that the peer does not take at once waits on disk."""

    loop: asyncio.AbstractEventLoop
    transport: Any
    _stalled: asyncio.TimerHandle | None = None
    _rest: IO[bytes] | None = None  # of what is large; there is none unless the peer is behind
    _left = 0  # bytes of the rest

    def part(self, data: bytes, *, first: bool, last: bool) -> bytes:
        """Frames a part of something large."""
        raise NotImplementedError

    def write_large(self, data: bytes) -> None:
        """Send it in parts. Only while the peer is not behind."""
        place = 0
        while place < len(data) and self._stalled is None:
            end = place + PIECE
            part = self.part(data[place:end], first=not place, last=end >= len(data))
            self.transport.write(part)
            place = end
        if place < len(data):
            self._keep(data[place:])

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
        self._moving()
        self._send_rest()
        if self._rest is None:
            super().resume_writing()  # type: ignore[misc]

    def connection_lost(self, exc: Exception | None) -> None:
        self._moving()
        self._drop_rest()
        super().connection_lost(exc)  # type: ignore[misc]

    def _keep(self, rest: bytes) -> None:
        try:
            self._rest, self._left = written(rest), len(rest)
        except OSError:  # a full disk is no reason to lose what is here
            log.warning("a large frame stays in memory", exc_info=True)
            self.transport.write(self.part(rest, first=False, last=True))

    def _send_rest(self) -> None:
        while self._rest is not None and self._stalled is None:
            data = self._rest.read(PIECE)
            self._left -= len(data)
            if not self._left:
                self._drop_rest()
            self.transport.write(self.part(data, first=False, last=self._rest is None))

    def _drop_rest(self) -> None:
        if self._rest is not None:
            self._rest.close()
            self._rest = None

    def _moving(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _abort(self) -> None:
        log.info("a peer that does not read is cut")
        self.transport.abort()
