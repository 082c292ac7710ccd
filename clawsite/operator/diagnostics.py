"""A known pattern, for looking at what lies between a client and this server.

`GET /api/diagnostics/stream` and the WebSocket `/api/diagnostics/ws` say the same: `start`, then
beats in a fixed rhythm, then nothing for as long as that transport is ever silent, then `end`.
`manage.py doctor --url` reads both. They need no key and no model and tell nothing about anybody,
so they are few at a time."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from conversations.process.services import services_of
from conversations.transports import admission
from conversations.transports.identify import client_address, forwarding
from conversations.transports.rest.routing import check_method
from conversations.transports.sse.streams import StreamResponse, Write
from conversations.transports.ws import frames
from engine.errors import ClawError
from wire.parse import dumps

BEATS = 20
PAUSE = 0.05  # seconds between two of them: what models take for a token or two
TRY_AGAIN_LATER = 1013


async def stream(request: HttpRequest) -> HttpResponseBase:
    """The pattern as an event stream; its silence is that of a stream without keepalive."""
    check_method(request, ["GET"])
    limits = services_of(request.scope).limits
    slot = await admission.take_diagnosis(limits, client_address(request.scope))
    pattern = Pattern(request.scope, settings.CLAW_KEEPALIVE_INTERVAL)
    return StreamResponse(pattern, limits, slot)


async def socket(scope: Any, receive: Any, send: Any) -> None:
    """The pattern on a WebSocket, an ASGI application; its silence is that between two pings."""
    await receive()
    await send({"type": "websocket.accept"})
    limits = services_of(scope).limits
    try:
        slot = await admission.take_diagnosis(limits, client_address(scope))
    except ClawError as error:
        await _say(send, frames.error(error))
        await send({"type": "websocket.close", "code": TRY_AGAIN_LATER, "reason": error.code})
        return
    pattern = Pattern(scope, settings.CLAW_PING_INTERVAL)
    leaving = asyncio.create_task(_left(receive, pattern))
    try:
        async with aclosing(pattern.events()) as events:
            async for event in events:
                await _say(send, event)
        await send({"type": "websocket.close", "code": 1000})
    finally:
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        await admission.release(limits, slot)


class Pattern:
    """One of them; open like any other connection, so that a shutdown need not wait for it."""

    caller = transport = None
    write: Write | None = None  # it goes the way that every server has

    def __init__(self, scope: Any, silence: float) -> None:
        self._scope, self._silence = scope, silence
        self._ended = asyncio.Event()

    async def look_again(self) -> None:
        """Anybody may have it: there are no rights to look at."""

    def cut(self, error: ClawError) -> None:
        self._ended.set()

    def announce_shutdown(self) -> None:
        self._ended.set()

    def end(self) -> None:
        """Ends the request: its client has gone."""
        self._ended.set()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body of an event stream."""
        async with aclosing(self.events()) as events:
            async for event in events:
                yield b"data: %b\n\n" % event

    async def events(self) -> AsyncGenerator[bytes, None]:
        """JSON objects with a `type`; without `end` if it was ended."""
        connections = services_of(self._scope).connections
        connections.add(self)
        try:
            yield self._event(
                "start",
                count=BEATS,
                pauseMs=round(PAUSE * 1000),
                silenceMs=round(self._silence * 1000),
                scheme=self._scope["scheme"],
                forwarding=forwarding(self._scope),
            )
            for index in range(BEATS):
                if await self._over(PAUSE):
                    return
                yield self._event("beat", index=index)
            if not await self._over(self._silence):
                yield self._event("end")
        finally:
            connections.discard(self)

    async def _over(self, seconds: float) -> bool:
        """Whether it was ended within this time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._ended.wait()
        except TimeoutError:
            return False

    def _event(self, kind: str, **fields: Any) -> bytes:
        return dumps({"type": kind, "sentAt": round(time.time() * 1000), **fields})


async def _say(send: Any, event: bytes) -> None:
    await send({"type": "websocket.send", "text": event.decode()})


async def _left(receive: Any, pattern: Pattern) -> None:
    """Until the client has gone; its messages are dropped."""
    while (await receive())["type"] != "websocket.disconnect":
        pass
    pattern.end()
