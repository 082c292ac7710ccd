"""`clawsite_client.frames`: requests as frames of a WebSocket."""

import json
from typing import Any

import pytest
from clawsite_client import ClawError
from clawsite_client.frames import TOO_LARGE, address, closed, event_of, opening, position_of
from clawsite_client.steps import Request


def frames(request: Request) -> list[Any]:
    return [json.loads(frame) for frame in opening(request, "token")]


def test_it_works() -> None:
    body = {"message": "Hi", "agentId": "shop", "conversationId": "c1", "attachments": ["file_1"]}
    asked = Request("POST", "/api/chat/stream", body, headers={"Idempotency-Key": "k1"})
    auth, message = frames(asked)
    assert auth == {"type": "auth", "token": "token", "agentId": "shop"}
    assert message == {
        "type": "message",
        "content": "Hi",
        "conversationId": "c1",
        "attachments": ["file_1"],
        "clientMessageId": "k1",
    }
    assert address("https://claw.example.com/a/shop") == "wss://claw.example.com/a/shop/api/ws"


def test_a_history_is_a_chat_and_a_position_goes_on() -> None:
    turns = [{"role": "user", "content": "Hi"}]
    headers = {"Idempotency-Key": "k1"}
    asked = Request("POST", "/api/chat/stream", {"messages": turns}, headers=headers)
    assert frames(asked)[1] == {"type": "chat", "messages": turns, "clientMessageId": "k1"}
    resume = {"type": "resume", "runId": "run_1", "lastSeq": 7}
    assert frames(asked.after("run_1:7"))[1] == resume
    assert frames(Request("GET", "/api/runs/run_1/events"))[1] == resume | {"lastSeq": 0}


def test_what_is_about_the_connection_is_no_event() -> None:
    assert event_of('{"type":"auth_ok"}') is None and event_of('{"type":"ping"}') is None
    token = event_of('{"type":"token","runId":"run_1","seq":3}')
    snapshot = event_of('{"type":"snapshot","runId":"run_1","lastSeq":9}')
    assert token and position_of(token) == "run_1:3"
    assert snapshot and position_of(snapshot) == "run_1:9"
    with pytest.raises(ValueError):
        event_of("[]")


def test_the_server_says_when_to_come_back() -> None:
    for frame in (
        {"type": "reconnect", "delayMs": 1500},
        {"type": "error", "code": "rate_limited", "message": "Wait.", "retryAfter": 1500},
    ):
        with pytest.raises(ClawError) as raised:
            event_of(json.dumps(frame))
        assert raised.value.retryable and raised.value.retry_after == 1.5


def test_a_refusal_is_final() -> None:
    with pytest.raises(ClawError) as raised:
        event_of('{"type":"error","code":"agent_not_found","message":"None."}')
    assert raised.value.code == "agent_not_found" and not raised.value.retryable
    assert not closed(TOO_LARGE).retryable and closed(None).retryable
