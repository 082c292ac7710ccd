"""The client for coroutines."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Self

import httpx2

from clawsite_client.answer import Event
from clawsite_client.errors import ClawError, connection_lost
from clawsite_client.exchange import (
    TIMEOUT,
    Transport,
    checked,
    decoded,
    failure,
    headers_of,
    parts_of,
    token_of,
)
from clawsite_client.resources import Resources
from clawsite_client.sockets import AsyncSocket
from clawsite_client.sse import Parser
from clawsite_client.steps import Call, Fetch, Open, Read, Request, Steps, Tell, Wait


class AsyncClient(Resources):
    """A client of `url`: an agent's address, or an installation's. Tools may be coroutines. A lost
    connection is taken up again up to `retries` times in a row."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        api_key: str | None = None,
        transport: Transport = "sse",
        retries: int = 5,
        http: httpx2.AsyncClient | None = None,
    ) -> None:
        """`http` is used instead of a client of its own, and is not closed."""
        self.retries, self._url = retries, url.rstrip("/")
        self._token, self._transport = token_of(token, api_key), checked(transport)
        self._given = http
        self._http = http or httpx2.AsyncClient(timeout=TIMEOUT)
        super().__init__(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. Answers go on being produced."""
        if self._given is None:
            await self._http.aclose()

    async def run(self, steps: Steps) -> Any:
        """See `Carrier.run`."""
        returned: list[Any] = []
        async for _ in self._carried_out(steps, returned):
            pass
        return returned[0]

    def events(self, steps: Steps) -> AsyncIterator[Event]:
        """See `Carrier.events`."""
        return self._carried_out(steps, [])

    def _stream(self) -> "_Stream | AsyncSocket":
        if self._transport == "websocket":
            return AsyncSocket(self._url, self._token)
        return _Stream(self)

    async def _carried_out(self, steps: Steps, returned: list[Any]) -> AsyncGenerator[Event, None]:
        """Tells the events; what the steps return comes into `returned`."""
        stream = self._stream()
        answer: Any = None
        problem: Exception | None = None
        try:
            while True:
                try:
                    step = steps.throw(problem) if problem else steps.send(answer)
                except StopIteration as end:
                    returned.append(end.value)
                    return
                answer = problem = None
                if isinstance(step, Tell):
                    yield step.event
                    continue
                try:
                    answer = await self._done(step, stream)
                except httpx2.TransportError:
                    problem = connection_lost()
                except Exception as error:  # noqa: BLE001 - the steps decide what becomes of it
                    problem = error
        finally:
            await stream.aclose()
            steps.close()

    async def _done(self, step: Any, stream: "_Stream | AsyncSocket") -> Any:
        match step:
            case Fetch(request):
                response = await self.send(request)
                if response.is_error:
                    raise failure(response)
                return decoded(response)
            case Open(request):
                return await stream.open(request)
            case Read():
                return await stream.read()
            case Wait(seconds):
                return await asyncio.sleep(seconds)
            case Call(function, args):
                result = function(**args)
                return await result if inspect.isawaitable(result) else result
        raise AssertionError(step)

    async def send(self, request: Request, *, stream: bool = False) -> httpx2.Response:
        """Send a request."""
        parts = parts_of(request) | {"headers": headers_of(self._token, request)}
        built = self._http.build_request(request.method, self._url + request.path, **parts)
        return await self._http.send(built, stream=stream)


class _Stream:
    """The event stream of one answer, which is opened again and again."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._response: httpx2.Response | None = None
        self._events: AsyncGenerator[tuple[Event | None, str], None] | None = None

    async def open(self, request: Request) -> bool:
        await self.aclose()
        self._response = response = await self._client.send(request, stream=True)
        if response.is_error:
            await response.aread()
            raise failure(response)
        self._events = self._read(response)
        return response.status_code != 204

    async def read(self) -> tuple[Event | None, str] | None:
        assert self._events is not None
        try:
            return await anext(self._events, None)
        except ValueError:
            raise ClawError("protocol_error", "The server sent no event.") from None

    async def aclose(self) -> None:
        if self._events is not None:
            await self._events.aclose()
        if self._response is not None:
            await self._response.aclose()

    async def _read(
        self, response: httpx2.Response
    ) -> AsyncGenerator[tuple[Event | None, str], None]:
        parser, known = Parser(), ""
        async for piece in response.aiter_raw():
            for event in parser.feed(piece):
                known = parser.last_id
                yield event, known
            if parser.last_id != known:  # a position without an event
                known = parser.last_id
                yield None, known
