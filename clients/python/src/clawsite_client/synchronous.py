"""The client for plain code."""

import time
from collections.abc import Generator, Iterator
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
from clawsite_client.sockets import Socket
from clawsite_client.sse import Parser
from clawsite_client.steps import Call, Fetch, Open, Read, Request, Steps, Tell, Wait


class Client(Resources):
    """A client of `url`: an agent's address, or an installation's. It may be used by several
    threads. A lost connection is taken up again up to `retries` times in a row."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        api_key: str | None = None,
        transport: Transport = "sse",
        retries: int = 5,
        http: httpx2.Client | None = None,
    ) -> None:
        """`http` is used instead of a client of its own, and is not closed."""
        self.retries, self._url = retries, url.rstrip("/")
        self._token, self._transport = token_of(token, api_key), checked(transport)
        self._given = http
        self._http = http or httpx2.Client(timeout=TIMEOUT)
        super().__init__(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. Answers go on being produced."""
        if self._given is None:
            self._http.close()

    def run(self, steps: Steps) -> Any:
        """See `Carrier.run`."""
        following = self._carried_out(steps)
        while True:
            try:
                next(following)
            except StopIteration as end:
                return end.value

    def events(self, steps: Steps) -> Iterator[Event]:
        """See `Carrier.events`."""
        return self._carried_out(steps)

    def _stream(self) -> "_Stream | Socket":
        if self._transport == "websocket":
            return Socket(self._url, self._token)
        return _Stream(self)

    def _carried_out(self, steps: Steps) -> Generator[Event, None, Any]:
        stream = self._stream()
        answer: Any = None
        problem: Exception | None = None
        try:
            while True:
                try:
                    step = steps.throw(problem) if problem else steps.send(answer)
                except StopIteration as end:
                    return end.value
                answer = problem = None
                if isinstance(step, Tell):
                    yield step.event
                    continue
                try:
                    answer = self._done(step, stream)
                except httpx2.TransportError:
                    problem = connection_lost()
                except Exception as error:  # noqa: BLE001 - the steps decide what becomes of it
                    problem = error
        finally:
            stream.close()
            steps.close()

    def _done(self, step: Any, stream: "_Stream | Socket") -> Any:
        match step:
            case Fetch(request):
                response = self.send(request)
                if response.is_error:
                    raise failure(response)
                return decoded(response)
            case Open(request):
                return stream.open(request)
            case Read():
                return stream.read()
            case Wait(seconds):
                return time.sleep(seconds)
            case Call(function, args):
                return function(**args)
        raise AssertionError(step)

    def send(self, request: Request, *, stream: bool = False) -> httpx2.Response:
        """Send a request."""
        parts = parts_of(request) | {"headers": headers_of(self._token, request)}
        built = self._http.build_request(request.method, self._url + request.path, **parts)
        return self._http.send(built, stream=stream)


class _Stream:
    """The event stream of one answer, which is opened again and again."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._response: httpx2.Response | None = None
        self._events: Iterator[tuple[Event | None, str]] = iter(())

    def open(self, request: Request) -> bool:
        self.close()
        self._response = response = self._client.send(request, stream=True)
        if response.is_error:
            response.read()
            raise failure(response)
        self._events = self._read(response)
        return response.status_code != 204

    def read(self) -> tuple[Event | None, str] | None:
        try:
            return next(self._events, None)
        except ValueError:
            raise ClawError("protocol_error", "The server sent no event.") from None

    def close(self) -> None:
        if self._response is not None:
            self._response.close()

    def _read(self, response: httpx2.Response) -> Iterator[tuple[Event | None, str]]:
        parser, known = Parser(), ""
        for piece in response.iter_raw():
            for event in parser.feed(piece):
                known = parser.last_id
                yield event, known
            if parser.last_id != known:  # a position without an event
                known = parser.last_id
                yield None, known
