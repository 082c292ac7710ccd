"""The work of a client without its I/O: generators that yield steps.

`synchronous` and `asynchronous` carry the steps out, so both clients are the same."""

import random
import uuid
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from clawsite_client.answer import Answer, Event
from clawsite_client.errors import ClawError, connection_lost
from clawsite_client.tools import Function, Tool

MAX_DELAY = 10.0
"""Seconds between two tries at most, unless the server says when."""


@dataclass(frozen=True)
class Request:
    """A request; `body` is JSON. A POST has a name: sent again, it is carried out once."""

    method: str
    path: str
    body: Any = None
    query: Mapping[str, Any] = field(default_factory=dict)
    file: tuple[str, bytes] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def named(self) -> "Request":
        """The same with an `Idempotency-Key`, if it needs one."""
        if self.method != "POST" or "Idempotency-Key" in self.headers:
            return self
        return replace(self, headers={**self.headers, "Idempotency-Key": str(uuid.uuid4())})

    def after(self, position: str) -> "Request":
        """The same for the events behind a position."""
        if not position:
            return self
        return replace(self, headers={**self.headers, "Last-Event-ID": position})


@dataclass(frozen=True)
class Fetch:
    """Send a request; the answer is its JSON, or None if it has none."""

    request: Request


@dataclass(frozen=True)
class Open:
    """Send a request for an event stream; the answer is whether there is one."""

    request: Request


class Read:
    """Read the next event; the answer is that with its position, or None at the end."""


@dataclass(frozen=True)
class Wait:
    """Wait for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Tell:
    """Give the caller an event."""

    event: Event


@dataclass(frozen=True)
class Call:
    """Call a function; the answer is what it returns."""

    function: Function
    args: dict[str, Any]


Step: TypeAlias = Fetch | Open | Read | Wait | Tell | Call
Steps: TypeAlias = Generator[Step, Any, Any]


def fetching(request: Request, retries: int) -> Steps:
    """Send a request until it is answered; returns the JSON. Raises ClawError."""
    request, tried = request.named(), 0
    while True:
        try:
            return (yield Fetch(request))
        except ClawError as error:
            tried += 1
            if tried > retries or not error.retryable:
                raise
            yield Wait(delay(tried, error))


def following(request: Request, tools: Mapping[str, Tool], retries: int) -> Steps:
    """Tell the events of an answer, each once, through every loss of the connection; returns the
    `Answer`. Calls of `tools` are carried out. Raises ClawError."""
    request, answer, position, tried = request.named(), Answer(), "", 0
    while not answer.done:
        try:
            if not (yield Open(request.after(position))):
                return answer
            while (found := (yield Read())) is not None:
                event, position = found
                if event is not None and answer.add(event):
                    tried = 0
                    yield Tell(event)
                    yield from _called(event, tools, retries)
                if answer.done:
                    return answer
            raise connection_lost()  # the server ends a stream without `done` when it restarts
        except ClawError as error:
            tried += 1
            if tried > retries or not error.retryable:
                raise
            yield Wait(delay(tried, error))
    return answer


def replying(steps: Steps) -> Steps:
    """The whole of an answer. Raises ClawError."""
    answer: Answer = yield from steps
    return answer.reply()


def delay(tried: int, error: ClawError) -> float:
    """Seconds until the next try: what the server says, or longer each time."""
    if error.retry_after is not None:
        return error.retry_after
    longest: float = min(MAX_DELAY, 0.25 * 2**tried)
    return random.uniform(0.5, 1.0) * longest


def _called(event: Event, tools: Mapping[str, Tool], retries: int) -> Steps:
    if event["type"] != "tool_call" or not event.get("client") or event["tool"] not in tools:
        return
    try:
        result, failed = (yield Call(tools[event["tool"]].function, event["args"])), False
    except Exception as error:  # noqa: BLE001 - whatever a tool raises is its result
        result, failed = f"{type(error).__name__}: {error}", True
    body = {"id": event["id"], "result": result, "isError": failed}
    path = f"/api/runs/{event['runId']}/tool-results"
    yield from fetching(Request("POST", path, body), retries)
