"""`conversations.transports.sse.views`: what a request for a stream says, and what is wrong."""

from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from conversations.transports.sse import views
from engine.errors import ClawError
from tests.conversations.transports.doors import run_of

KEY = {"authorization": "Bearer claw_x"}


def request(query: str = "", body: bytes = b"", **headers: str) -> HttpRequest:
    return RequestFactory().post(
        f"/api/chat/stream?{query}",
        body,
        content_type="application/json",
        headers={"host": "localhost", **headers},
    )


def refusal(function: Any, *arguments: Any) -> ClawError:
    with pytest.raises(ClawError) as raised:
        function(*arguments)
    return raised.value


def test_it_works() -> None:
    chat = views.read_chat(request("message=Hello&conversationId=abc", **KEY))
    assert (chat.message, chat.conversation_id) == ("Hello", "abc")
    chat = views.read_chat(request(body=b'{"message": "Hi", "foreign": 1}', **KEY))
    assert chat.message == "Hi"  # clients of others may say more


def test_who_asks_comes_before_what_is_asked() -> None:
    for body in (b"", b"no JSON", b'{"message": 5}'):
        assert refusal(views.read_chat, request(body=body)).code == "auth_required"


def test_an_idempotency_key_names_the_message() -> None:
    named = {**KEY, "idempotency-key": "m-1"}
    assert views.read_chat(request("message=x", **named)).client_message_id == "m-1"
    error = refusal(views.read_chat, request("message=x&clientMessageId=other", **named))
    assert (error.code, error.details) == ("invalid_message", {"field": "clientMessageId"})


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "invalid_message"),
        ("message=%20", "invalid_message"),
        ("message=" + "x" * 101, "message_too_large"),
        ("message=" + "%C3%A9" * 51, "message_too_large"),  # bytes, not characters
    ],
)
def test_a_message_has_a_size(query: str, code: str, settings: Any) -> None:
    settings.CLAW_MAX_MESSAGE_BYTES = 100
    assert refusal(views.read_chat, request(query, **KEY)).code == code


def test_the_position_of_the_header_wins() -> None:
    resumed = request("lastSeq=9", **{"last-event-id": "run_1:4"})
    assert views._position(resumed, run_of()) == 4
    assert views._position(request("lastSeq=9"), run_of()) == 9
    assert views._position(request(), run_of()) == 0


@pytest.mark.parametrize(
    ("query", "header", "field"),
    [
        ("", "run_2:4", "Last-Event-ID"),
        ("", "nonsense", "Last-Event-ID"),
        ("", "run_1:-1", "Last-Event-ID"),
        ("lastSeq=-1", "", "lastSeq"),
        ("lastSeq=x", "", "lastSeq"),
    ],
)
def test_a_position_of_nothing_is_wrong(query: str, header: str, field: str) -> None:
    headers = {"last-event-id": header} if header else {}
    error = refusal(views._position, request(query, **headers), run_of())
    assert (error.code, error.details) == ("invalid_message", {"field": field})
