"""The WebSocket door: one consumer per socket.

Everything a socket holds is released in `__call__`'s `finally`: Channels does not call
`disconnect()` after a handler that raised.
"""

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import suppress
from functools import partial
from typing import Any

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from django.conf import settings

from agents.caller import Caller
from conversations.process.services import services_of
from conversations.transports.identify import (
    address,
    asgi_headers,
    client_address,
    is_stranger,
    socket_ticket,
    socket_token,
)
from conversations.transports.ws import frames
from conversations.transports.ws.identity import SocketIdentity
from conversations.transports.ws.session import Session
from conversations.transports.ws.timers import ConnectionTimers
from engine.errors import ClawError, invalid
from engine.ids import new_id
from wire import native
from wire.errors import close_code_of

log = logging.getLogger(__name__)

CLOSE_SECONDS = 1.0  # a peer that does not take its last frames in this time is aborted


class ChatConsumer(AsyncConsumer):
    """`/api/ws` and `/a/<slug>/api/ws`."""

    transport: str | None = "websocket"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Channels' own consumer would give every frame to a task, and that to another one.
        self.scope, self.base_send = scope, send
        self._leaving = self._closed = False
        headers, services = asgi_headers(scope), services_of(scope)
        slug = scope["url_route"]["kwargs"]["slug"]
        self._timers = ConnectionTimers(
            send=self._ping, close=self._close, busy=lambda: bool(len(self._session.followed))
        )
        self._identity = SocketIdentity(
            services.limits,
            client_address(scope),
            headers.get("origin"),
            partial(address, scope, headers.get("host", ""), slug),
        )
        self._session = self._kind()(
            services,
            self._identity,
            self._timers,
            self._send,
            scope.get("extensions", {}).get("clawsite.write"),
        )
        keeping = asyncio.create_task(self._timers.run())
        connections = services.connections
        connections.add(self)
        try:
            with suppress(StopConsumer):
                while True:
                    await self.dispatch(await receive())
        finally:
            connections.discard(self)
            keeping.cancel()
            await self._session.release(leaving=self._leaving or self._timers.expired)
            await asyncio.gather(keeping, return_exceptions=True)

    async def dispatch(self, message: Any) -> None:
        """Dispatches as Channels does, but does not look after Django's connections of another
        thread: no code here uses them, and the hop costs as much as the frame."""
        await getattr(self, get_handler_name(message))(message)

    def _kind(self) -> type[Session]:
        """The kind of session that the address has."""
        return Session

    # -- what the registry of open connections asks for

    @property
    def caller(self) -> Caller | None:
        return self._identity.caller

    async def look_again(self) -> None:
        await self._session.look_again()

    def cut(self, error: ClawError) -> None:
        self._timers.fail(error)

    def announce_shutdown(self) -> None:
        self._leaving = True
        self._timers.end([frames.reconnect()], 1012, "Service Restart")

    # -- what the server hands over

    async def websocket_connect(self, message: Any) -> None:
        full: ClawError | None = None
        try:
            if is_stranger(self.scope):
                await self._identity.enter()
        except ClawError as problem:
            full = problem
        await self.base_send({"type": "websocket.accept"})  # also to say that there is no place
        if full is not None:
            await self._refuse(full, None)
        else:
            await self._guarded(self._begin(), None)

    async def websocket_receive(self, message: Any) -> None:
        text = message.get("text")
        try:
            if text is None:
                raise invalid("$", "Frames are JSON text.")
            frame = native.parse_frame(text, message_bytes=settings.CLAW_MAX_MESSAGE_BYTES)
        except ClawError as error:
            known = self._identity.caller is not None
            # Without it, anything but an `auth` frame comes too early, however wrong it is.
            problem = error if known else ClawError("auth_required", "Authenticate first.")
            await self._refuse(problem, native.reply_id(text or ""))
            return
        if not isinstance(frame, native.Ping | native.Pong):
            self._timers.touch()
        await self._guarded(self._session.handle(frame), frame.id)

    async def websocket_disconnect(self, message: Any) -> None:
        raise StopConsumer

    async def _begin(self) -> None:
        if (ticket := socket_ticket(self.scope)) is not None:
            await self._session.redeem(ticket)
        else:
            await self._session.begin(socket_token(self.scope))

    async def _guarded(self, handling: Awaitable[None], reply_to: str | int | None) -> None:
        """Turns every error of a frame into an error frame; the socket stays."""
        try:
            await handling
        except ClawError as problem:
            await self._refuse(problem, reply_to)
        except OSError:
            raise  # the client is gone
        except Exception:  # a defect of ours must not end the other runs of this socket
            request_id = new_id("req")
            log.exception("frame failed (%s)", request_id)
            defect = ClawError(
                "internal_error",
                "Something went wrong on our side.",
                details={"requestId": request_id},
            )
            await self._refuse(defect, reply_to)

    async def _refuse(self, problem: ClawError, reply_to: str | int | None) -> None:
        """While it authenticates a socket is closed with the error's code; later it stays."""
        closes = close_code_of(problem) is not None or problem.code == "rate_limited"
        if self._identity.caller is None and closes:
            self._timers.fail(problem, reply_to)
        else:
            await self._send(frames.error(problem, reply_to))

    # -- sending and ending

    async def _send(self, data: bytes) -> None:
        if not self._closed:  # an answer that comes after the last frame goes nowhere
            await self.base_send({"type": "websocket.send", "text": data.decode()})

    async def _ping(self, data: bytes) -> None:
        await self._send(data)

    async def _close(self, last: list[bytes], code: int, reason: str) -> None:
        """Send the last frames and close; a peer that does not take them is aborted."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                for frame in last:
                    await self._send(frame)
                self._closed = True
                await self.base_send({"type": "websocket.close", "code": code, "reason": reason})
        except TimeoutError:
            if abort := self.scope.get("extensions", {}).get("clawsite.abort"):
                abort()
        except OSError:
            pass  # it is gone already
