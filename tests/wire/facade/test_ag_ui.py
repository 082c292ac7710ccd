"""`wire.facade.ag_ui`: what a client of AG-UI asks."""

from typing import Any

import msgspec
import pytest

from engine.errors import ClawError
from engine.events import Pending
from wire.facade.ag_ui import RunAgentInput, parse_run
from wire.native import Reply, Verdict

LIMIT = 1000
PENDING = [
    Pending(kind="approval", id="call_1", tool="book", args={}, args_digest="sha256:0"),
    Pending(kind="question", id="call_2", text="Which day?"),
]


def asked(*messages: Any, **fields: Any) -> RunAgentInput:
    names = {"threadId": "thread-1", "runId": "run-1"}
    return parse_run(msgspec.json.encode({**names, "messages": list(messages), **fields}))


def says(text: Any, role: str = "user", **fields: Any) -> dict[str, Any]:
    return {"id": "m", "role": role, "content": text, **fields}


def test_what_follows_the_last_answer_is_asked() -> None:
    request = asked(says("One"), says("Two", "assistant"), says("Three"), says("Four"))
    chat = request.chat([], message_bytes=LIMIT)
    assert chat.message == "Three\n\nFour"
    assert (chat.conversation_id, chat.client_message_id) == ("thread-1", "run-1")


def test_results_of_the_calls_that_wait_go_on() -> None:
    result = says("20 degrees", "tool", toolCallId="call_1")
    chat = asked(says("Hm", "assistant"), result).chat(["call_1"], message_bytes=LIMIT)
    (block,) = chat.turns[-1].blocks
    assert (block["tool_use_id"], block["content"]) == ("call_1", "20 degrees")


def test_what_the_agent_has_itself_is_left_out() -> None:
    request = asked(
        says({"steps": []}, "activity", activityType="PLAN"),
        says("Hm", "reasoning"),
        says("Speak Latin.", "system"),
        says([{"type": "text", "text": "Hi"}]),
    )
    assert request.chat([], message_bytes=LIMIT).message == "Hi"
    assert request.instructions == ["Speak Latin."]


@pytest.mark.parametrize(
    "message",
    [
        says([{"type": "image", "source": {"type": "url", "value": "https://a.example"}}]),
        says({"a": 1}),
        says(" "),
        says("x" * (LIMIT + 1)),
        says("20", "tool", toolCallId="call_9"),
    ],
)
def test_what_cannot_be_asked_is_refused(message: Any) -> None:
    with pytest.raises(ClawError):
        asked(message).chat([], message_bytes=LIMIT)


def test_interrupts_are_answered_by_what_they_wait_for() -> None:
    entries = [
        {
            "interruptId": "call_1",
            "status": "resolved",
            "payload": {"approve": True, "reason": "Go"},
        },
        {"interruptId": "call_2", "status": "resolved", "payload": "Monday"},
    ]
    decided = asked(resume=entries).decisions(PENDING)
    assert [decision for _, decision in decided] == [
        Verdict(args_digest="sha256:0", approve=True, reason="Go"),
        Reply(id="call_2", text="Monday"),
    ]


def test_interrupts_that_are_cancelled_are_declined() -> None:
    entries = [{"interruptId": call.id, "status": "cancelled"} for call in PENDING]
    one, two = [decision for _, decision in asked(resume=entries).decisions(PENDING)]
    assert one == Verdict(args_digest="sha256:0", approve=False)
    assert two == Reply(id="call_2", decline=True)


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([{"interruptId": "call_9", "status": "cancelled"}], "already_decided"),
        ([{"interruptId": "call_2", "status": "cancelled"}], "invalid_message"),
        (
            [{"interruptId": "call_1", "status": "resolved", "payload": "yes"}],
            "invalid_message",
        ),
        (
            [{"interruptId": "call_1", "status": "resolved", "payload": {"ok": True}}],
            "invalid_message",
        ),
    ],
)
def test_answers_that_do_not_fit_are_refused(entries: Any, code: str) -> None:
    with pytest.raises(ClawError) as raised:
        asked(resume=entries).decisions(PENDING)
    assert raised.value.code == code


def test_null_is_as_nothing() -> None:
    absent = dict.fromkeys(("tools", "state", "resume"))
    assert asked(says("Hi"), **absent).chat([], message_bytes=LIMIT).tools == []
    assert asked(**absent).fields == {}
