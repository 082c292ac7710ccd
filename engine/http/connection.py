"""A connection to a model server, used for one request after the other.

Bytes that a read brings go to the receiver in the same call: no task has to wake up for
a token, and no reader's buffer is in between.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from engine.http.http1 import Broken, ResponseParser

REFUSAL_BYTES = 64 * 1024  # of the body of a refusal, which are read
END_OF_BODY_WAIT = 0.5  # seconds; a connection whose response has not ended cannot be used again
LAST_WORDS_WAIT = 5.0  # seconds; a server that has said why it stopped has only a count left to say
SURPLUS = 64 * 1024
"""Bytes that a server may send without any of a body (headers, trailers, interim responses), or
after all that was wanted. Only what a header says is kept meanwhile, and nothing of the rest."""


class Stale(Broken):
    """A connection that was used before was closed without a byte of this response."""


class Idle(Exception):
    """The server made no progress for too long."""


class Receiver(Protocol):
    """Takes a response as it arrives; what it raises ends the exchange, and is raised from it."""

    complete: bool
    """Whether it has all that it wants. The connection is then given a moment to end the response,
    so that it can be used again; losing it is no failure any more."""

    settled: bool
    """Whether an end in this moment loses nothing: then the server gets little more time."""

    def head(self, status: int, headers: dict[str, str]) -> None:
        """The status and the headers, by lower-case names."""
        ...

    def body(self, data: bytes) -> bool:
        """All of the body that came in one read. Returns whether that was progress."""
        ...


class Connection(asyncio.Protocol):
    """One exchange at a time."""

    __slots__ = (
        "_arrived",
        "_deadline",
        "_done",
        "_head_taken",
        "_idle_timeout",
        "_loop",
        "_on_lost",
        "_parser",
        "_receiver",
        "_surplus",
        "_timer",
        "_transport",
        "_used",
        "_winding_down",
    )

    def __init__(self, on_lost: Callable[["Connection"], None]) -> None:
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._parser = ResponseParser()
        self._done = self._loop.create_future()
        self._done.set_result(None)  # nobody waits for anything
        self._timer: asyncio.TimerHandle | None = None
        self._used = False

    @property
    def reusable(self) -> bool:
        """Whether the last response is over and both sides may go on."""
        parser = self._parser
        return parser.ended and parser.keep_alive and not self._transport.is_closing()

    async def exchange(self, request: bytes, receiver: Receiver, idle_timeout: float) -> None:
        """Send a request; return when its response has ended, or the receiver is complete.

        Raises `Broken`, `Idle` (after `idle_timeout` seconds without progress) and whatever the
        receiver does. Cancelled, it closes the socket at once."""
        self._begin(receiver, idle_timeout)
        try:
            self._transport.write(request)
            await self._done
        finally:
            self._stop_timer()
            self._used = True
            del self._receiver  # it holds a whole answer, and this connection may rest for long
            if not self.reusable:
                self.abort()

    def rest(self, seconds: float) -> None:
        """Close it unless it is used again until then."""
        self._timer = self._loop.call_later(seconds, self.abort)

    def abort(self) -> None:
        """Close it at once."""
        self._stop_timer()
        self._transport.abort()

    def _begin(self, receiver: Receiver, idle_timeout: float) -> None:
        self._stop_timer()
        self._parser.expect()
        self._receiver, self._idle_timeout = receiver, idle_timeout
        self._done = self._loop.create_future()
        self._arrived = self._head_taken = self._winding_down = False
        self._surplus = 0
        self._deadline = self._loop.time() + idle_timeout
        self._timer = self._loop.call_at(self._deadline, self._check)

    # --- called by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self._done.done():
            self.abort()  # no exchange has asked for this, or it has been cancelled
            return
        self._arrived = True
        parser, receiver = self._parser, self._receiver
        try:
            body = parser.feed(data)
            if parser.status and not self._head_taken:
                self._head_taken = True
                receiver.head(parser.status, parser.headers)
            if body and receiver.body(body):
                self._deadline = self._loop.time() + self._idle_timeout
                self._surplus = 0
                if receiver.settled:
                    self._hurry()
        except Exception as error:  # noqa: BLE001 - the receiver's, for the task that awaits the exchange
            self._finish(error)
            return
        if parser.ended:
            self._finish(None)
        elif parser.damage is not None:
            self._lose(parser.damage)
        elif not body or receiver.complete:
            self._bound(len(data))

    def connection_lost(self, error: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._stop_timer()
        self._parser.close()
        self._on_lost(self)
        if self._done.done():
            return
        if self._used and not self._arrived:
            self._finish(Stale("closed while it was not used"))
        elif self._parser.until_close and error is None:
            self._finish(None)
        else:
            self._lose(Broken(f"lost: {error!r}"))

    def _bound(self, size: int) -> None:
        """Limit what comes without being wanted, in bytes and in time."""
        self._surplus += size
        if self._surplus > SURPLUS:
            self._lose(Broken("headers without end"))
        elif self._receiver.complete and not self._winding_down:
            self._winding_down = True
            self._stop_timer()
            self._timer = self._loop.call_later(END_OF_BODY_WAIT, self._finish, None)

    def _hurry(self) -> None:
        """Wait no longer than for last words."""
        soon = self._loop.time() + LAST_WORDS_WAIT
        if soon < self._deadline:
            self._stop_timer()
            self._deadline = soon
            self._timer = self._loop.call_at(soon, self._check)

    def _check(self) -> None:
        """One timer for a whole response, since setting one for each token costs too much."""
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._check)
        else:
            self._finish(Idle("no progress in time"))

    # --- the end

    def _lose(self, error: Broken) -> None:
        self._finish(None if self._receiver.complete else error)

    def _finish(self, error: Exception | None) -> None:
        if self._done.done():
            return
        if error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(error)
            self._done.exception()  # seen, also if a cancel is faster than its way to the task

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
