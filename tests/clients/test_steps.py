"""`clawsite_client.steps`: what a client does when something goes wrong."""

from typing import Any

import pytest
from clawsite_client import ClawError
from clawsite_client.errors import connection_lost, error_of
from clawsite_client.steps import (
    Call,
    Fetch,
    Open,
    Read,
    Request,
    Tell,
    Wait,
    delay,
    fetching,
    following,
)
from clawsite_client.tools import tools_of

from tests import fixtures

ASK = Request("POST", "/api/chat/stream", {"message": "Hi"})
LOST = connection_lost()


class Server:
    """Answers the steps: `connections` are the events of each, then it is lost."""

    def __init__(self, *connections: Any) -> None:
        self.connections, self.left = list(connections), list[Any]()
        self.opened: list[Request] = []
        self.fetched: list[Request] = []
        self.told: list[Any] = []
        self.waits: list[float] = []

    def play(self, steps: Any) -> Any:
        answer: Any = None
        problem: Exception | None = None
        while True:
            try:
                step = steps.throw(problem) if problem else steps.send(answer)
            except StopIteration as end:
                return end.value
            answer = problem = None
            try:
                answer = self.answer(step)
            except Exception as error:  # noqa: BLE001 - as the clients do
                problem = error

    def answer(self, step: Any) -> Any:
        match step:
            case Open(request):
                self.opened.append(request)
                found = self.connections.pop(0)
                if isinstance(found, Exception):
                    raise found
                self.left = [(event, f"run_1:{event['seq']}") for event in found]
                return True
            case Read():
                return self.left.pop(0) if self.left else None
            case Tell(event):
                self.told.append(event)
            case Wait(seconds):
                self.waits.append(seconds)
            case Fetch(request):
                self.fetched.append(request)
                found = self.connections.pop(0) if self.connections else {}
                if isinstance(found, Exception):
                    raise found
                return found
            case Call(function, args):
                return function(**args)
        return None


def test_it_works() -> None:
    events = fixtures.load("complete")["events"]
    server = Server(events)
    assert server.play(following(ASK, {}, 0)).done
    assert server.told == events and server.waits == []


def test_a_lost_connection_is_taken_up_where_it_was() -> None:
    events = fixtures.load("complete")["events"]
    server = Server(LOST, events[:3], LOST, events[2:])
    answer = server.play(following(ASK, {}, 2))
    assert server.told == events and answer.text == answer.outcome["content"]
    positions = [request.headers.get("Last-Event-ID") for request in server.opened]
    assert positions == [None, None, "run_1:3", "run_1:3"]
    keys = {request.headers["Idempotency-Key"] for request in server.opened}
    assert len(keys) == 1 and len(server.waits) == 3


def test_it_gives_up_after_so_many_losses_in_a_row() -> None:
    server = Server(LOST, LOST, LOST)
    with pytest.raises(ClawError) as raised:
        server.play(following(ASK, {}, 2))
    assert raised.value.code == "connection_lost" and len(server.opened) == 3


def test_what_will_not_succeed_is_not_tried_again() -> None:
    refused = error_of(404, {"error": {"code": "agent_not_found", "message": "None."}}, None)
    server = Server(refused)
    with pytest.raises(ClawError):
        server.play(following(ASK, {}, 5))
    assert server.waits == []


def test_the_server_says_how_long_to_wait() -> None:
    busy = error_of(429, {"error": {"code": "rate_limited", "retryAfter": 2500}}, "3")
    server = Server(busy, {"ok": True})
    assert server.play(fetching(Request("GET", "/api/agents"), 1)) == {"ok": True}
    assert server.waits == [2.5]
    assert error_of(503, None, "7").retry_after == 7
    assert delay(50, LOST) <= 10


def test_a_post_that_is_sent_again_has_the_same_name() -> None:
    server = Server(LOST, {})
    server.play(fetching(Request("POST", "/api/conversations", {}), 1))
    assert len({request.headers["Idempotency-Key"] for request in server.fetched}) == 1


def test_tools_are_carried_out_and_their_failures_told() -> None:
    def show_map(place: str) -> Any:
        """Show a map."""
        if place == "Bern":
            raise ValueError("no such map")
        return place

    server = Server(fixtures.load("decided")["events"])
    server.play(following(ASK, tools_of([show_map]), 0))
    (sent,) = server.fetched
    assert sent.body == {"id": "toolu_3", "result": "ValueError: no such map", "isError": True}
