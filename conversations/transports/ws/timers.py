"""The clock of one WebSocket: authentication in time, pings, idleness, and its end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from conversations.transports.ws import frames
from engine.errors import ClawError
from wire.encoders.native import PING
from wire.errors import close_code_of

PING_SECONDS = 0.5  # a ping that waits must not hold up the end of the socket

INVALID_TOKEN = 4001


class ConnectionTimers:
    """One task per socket that sleeps until the next thing is due."""

    def __init__(
        self,
        *,
        send: Callable[[bytes], Awaitable[None]],
        close: Callable[[list[bytes], int, str], Awaitable[None]],
        busy: Callable[[], bool],
    ) -> None:
        self._send, self._close, self._busy = send, close, busy
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._auth_due: float | None = now + settings.CLAW_AUTH_TIMEOUT
        self._expiry: float | None = None
        self.expired = False
        """Whether it ends because the token did: nobody has gone away."""
        self._ping_due = now + settings.CLAW_PING_INTERVAL
        self._active = now
        self._wake = asyncio.Event()
        self._end: tuple[list[bytes], int, str] | None = None

    def authenticated(self, *, until: datetime | None) -> None:
        """The deadline for it is met, with a token that is good until then."""
        self._auth_due = None
        left = None if until is None else (until - timezone.now()).total_seconds()
        self._expiry = None if left is None else self._loop.time() + left
        self._wake.set()
        self.touch()

    def touch(self) -> None:
        """Something happened that counts as activity: a frame, or the end of a run."""
        self._active = self._loop.time()

    def end(self, last: list[bytes], code: int, reason: str) -> None:
        """Send these frames, then close. The first call counts."""
        if self._end is None:
            self._end = last, code, reason
            self._wake.set()

    async def run(self) -> None:
        """Until the socket is to be closed."""
        while self._end is None:
            self._check()
            try:
                async with asyncio.timeout_at(self._next()):
                    await self._wake.wait()
                self._wake.clear()
            except TimeoutError:
                await self._ping()
        last, code, reason = self._end
        await self._close(last, code, reason)

    def _next(self) -> float:
        due = [self._ping_due]
        if self._expiry is not None:
            due.append(self._expiry)
        if self._auth_due is not None:
            due.append(self._auth_due)
        elif not self._busy():
            due.append(self._idle_due())
        else:  # the socket may be idle from any moment on
            due.append(self._loop.time() + settings.CLAW_IDLE_TIMEOUT)
        return min(due)

    def _idle_due(self) -> float:
        return self._active + settings.CLAW_IDLE_TIMEOUT

    def _check(self) -> None:
        now = self._loop.time()
        if self._auth_due is not None and now >= self._auth_due:
            self.fail(ClawError("auth_required", "Authenticate within the time limit."))
        elif self._expiry is not None and now >= self._expiry:
            self.expired = True
            self.fail(ClawError("token_expired", "This token has expired: bring a new one."))
        elif self._auth_due is None and not self._busy() and now >= self._idle_due():
            self.fail(ClawError("idle_timeout", "The connection was idle for too long."))

    def fail(self, error: ClawError, reply_to: str | int | None = None) -> None:
        """Say why, then close with the error's code."""
        reason = "Invalid token" if error.code == "invalid_token" else error.code
        # Only failing attempts are limited before authentication: they close as such.
        code = close_code_of(error) or INVALID_TOKEN
        self.end([frames.error(error, reply_to)], code, reason)

    async def _ping(self) -> None:
        if self._loop.time() >= self._ping_due:
            self._ping_due = self._loop.time() + settings.CLAW_PING_INTERVAL
            with contextlib.suppress(TimeoutError):  # a peer that does not read needs no ping
                async with asyncio.timeout(PING_SECONDS):
                    await self._send(PING)
