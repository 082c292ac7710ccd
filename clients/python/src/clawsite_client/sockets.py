"""The events of an answer over a WebSocket, which is opened again and again."""

import asyncio
import json
from contextlib import AsyncExitStack, ExitStack
from typing import Any

from websockets.asyncio.client import ClientConnection as AsyncConnection
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from clawsite_client.answer import Event
from clawsite_client.errors import ClawError, connection_lost, error_of
from clawsite_client.frames import address, closed, event_of, opening, position_of
from clawsite_client.steps import Request

OPTIONS: dict[str, Any] = {
    "open_timeout": 10.0,
    "close_timeout": 1.0,  # nobody waits for a network that is gone
    "max_size": 32 * 1024 * 1024,  # an event with a whole answer in it
}
SILENCE_SECONDS = 60.0  # a server says something every 30
LOST = (ConnectionClosed, InvalidHandshake, OSError, TimeoutError, EOFError)


class Socket:
    """The stream for plain code."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = address(url), token
        self._open = ExitStack()
        self._connection: ClientConnection | None = None

    def open(self, request: Request) -> bool:
        """Begin anew, with what comes after the request's position. Raises ClawError."""
        self.close()
        try:
            connection = self._open.enter_context(connect(self._url, **OPTIONS))
            for frame in opening(request, self._token):
                connection.send(frame)
        except LOST as error:
            raise _problem(error) from None
        self._connection = connection
        return True

    def read(self) -> tuple[Event | None, str] | None:
        """The next event, with its position. Raises ClawError."""
        assert self._connection is not None
        while True:
            try:
                text = self._connection.recv(timeout=SILENCE_SECONDS)
            except LOST as error:
                raise _problem(error) from None
            if found := _found(text):
                return found

    def close(self) -> None:
        """Leave the answer; it goes on."""
        self._open.close()


class AsyncSocket:
    """The stream for coroutines."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = address(url), token
        self._open = AsyncExitStack()
        self._connection: AsyncConnection | None = None

    async def open(self, request: Request) -> bool:
        """See `Socket.open`."""
        await self.aclose()
        try:
            opened = connect_async(self._url, **OPTIONS)
            connection = await self._open.enter_async_context(opened)
            for frame in opening(request, self._token):
                await connection.send(frame)
        except LOST as error:
            raise _problem(error) from None
        self._connection = connection
        return True

    async def read(self) -> tuple[Event | None, str] | None:
        """See `Socket.read`."""
        assert self._connection is not None
        while True:
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    text = await self._connection.recv()
            except LOST as error:
                raise _problem(error) from None
            if found := _found(text):
                return found

    async def aclose(self) -> None:
        """See `Socket.close`."""
        await self._open.aclose()


def _found(text: str | bytes) -> tuple[Event, str] | None:
    try:
        event = event_of(text)
        return (event, position_of(event)) if event else None
    except (ValueError, KeyError):
        raise ClawError("protocol_error", "The server sent no event.") from None


def _problem(error: Exception) -> ClawError:
    if isinstance(error, InvalidStatus):
        answer = error.response
        try:
            body = json.loads(answer.body or b"")
        except ValueError:
            body = None
        return error_of(answer.status_code, body, answer.headers.get("Retry-After"))
    if isinstance(error, ConnectionClosed) and error.rcvd is not None:
        return closed(error.rcvd.code)
    return connection_lost()
