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

from conversations import runs, wiring
from conversations.transports import frames
from conversations.transports.identify import (
    address,
    asgi_headers,
    client_address,
    socket_ticket,
    socket_token,
)
from conversations.transports.keeper import Keeper
from conversations.transports.session import Session
from engine.errors import ClawError, invalid
from engine.ids import new_id
from wire import native

log = logging.getLogger(__name__)

CLOSE_SECONDS = 1.0  # a peer that does not take its last frames in this time is aborted


class ChatConsumer(AsyncConsumer):
    """`/api/ws` and `/a/<slug>/api/ws`."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # What Channels' own does would give every frame to a task, and that to another one.
        self.scope, self.base_send = scope, send
        self._leaving = self._closed = False
        headers = asgi_headers(scope)
        slug = scope["url_route"]["kwargs"]["slug"]
        self._keeper = Keeper(
            send=self._send, close=self._close, busy=lambda: bool(len(self._session.watching))
        )
        self._session = Session(
            client_address(scope),
            headers.get("origin"),
            partial(address, scope, headers.get("host", ""), slug),
            self._keeper,
            self._send,
            scope.get("extensions", {}).get("clawsite.write"),
        )
        keeping = asyncio.create_task(self._keeper.run())
        connections = wiring.services().connections
        connections.add(self)
        try:
            with suppress(StopConsumer):
                while True:
                    await self.dispatch(await receive())
        finally:
            connections.discard(self)
            keeping.cancel()
            await self._session.release(leaving=self._leaving or self._keeper.expired)
            await asyncio.gather(keeping, return_exceptions=True)

    async def dispatch(self, message: Any) -> None:
        """As Channels does, which would also look after Django's connections of another thread:
        nobody here uses them, and the hop costs as much as the frame."""
        await getattr(self, get_handler_name(message))(message)

    # -- what the registry of open connections asks for

    @property
    def key_id(self) -> str | None:
        caller = self._session.caller
        return caller.key_id if caller else None

    def cut(self, error: ClawError) -> None:
        self._keeper.fail(error)

    def announce_shutdown(self) -> None:
        self._leaving = True
        self._keeper.end([frames.reconnect()], 1012, "Service Restart")

    # -- what the server hands over

    async def websocket_connect(self, message: Any) -> None:
        await self.base_send({"type": "websocket.accept"})
        await self._guarded(self._begin(), None)

    async def websocket_receive(self, message: Any) -> None:
        text = message.get("text")
        try:
            if text is None:
                raise invalid("$", "Frames are JSON text.")
            frame = native.parse_frame(text, message_bytes=runs.max_message_bytes())
        except ClawError as error:
            known = self._session.caller is not None
            # Without it, anything but an `auth` frame comes too early, however wrong it is.
            problem = error if known else ClawError("auth_required", "Authenticate first.")
            await self._refuse(problem, native.reply_id(text or ""))
            return
        if not isinstance(frame, native.Ping | native.Pong):
            self._keeper.touch()
        await self._guarded(self._session.handle(frame), frame.id)

    async def websocket_disconnect(self, message: Any) -> None:
        raise StopConsumer

    async def _begin(self) -> None:
        if (ticket := socket_ticket(self.scope)) is not None:
            await self._session.redeem(ticket)
        else:
            await self._session.begin(socket_token(self.scope))

    async def _guarded(self, handling: Awaitable[None], reply_to: str | int | None) -> None:
        """Whatever is wrong with a frame becomes an error frame, and the socket stays."""
        try:
            await handling
        except ClawError as problem:
            await self._refuse(problem, reply_to)
        except OSError:
            raise  # the client is gone
        except Exception:  # a defect of ours must not end the other runs of this socket
            request_id = new_id("req")
            log.exception("frame failed (%s)", request_id)
            problem = ClawError(
                "internal_error",
                "Something went wrong on our side.",
                details={"requestId": request_id},
            )
            await self._refuse(problem, reply_to)

    async def _refuse(self, problem: ClawError, reply_to: str | int | None) -> None:
        """While it authenticates a socket is closed with the error's code; later it stays."""
        closes = problem.close_code is not None or problem.code == "rate_limited"
        if self._session.caller is None and closes:
            self._keeper.fail(problem, reply_to)
        else:
            await self._send(frames.error(problem, reply_to))

    # -- sending and ending

    async def _send(self, data: bytes) -> None:
        if not self._closed:  # an answer that comes after the last frame goes nowhere
            await self.base_send({"type": "websocket.send", "text": data.decode()})

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
