"""`wire.facade.ai_sdk`: what a chat asks."""

from typing import Any

import msgspec
import pytest

from engine.errors import ClawError
from wire.facade.ai_sdk import parse_ui_chat

LIMIT = 1000
RESULT = {
    "type": "tool-get_weather",
    "toolCallId": "call_1",
    "state": "output-available",
    "input": {},
    "output": {"degrees": 20},
}


def asked(*messages: Any, **fields: Any) -> Any:
    body = {"id": "chat1", "trigger": "submit-message", "messages": list(messages), **fields}
    return parse_ui_chat(msgspec.json.encode(body))


def says(text: str, role: str = "user", **fields: Any) -> dict[str, Any]:
    return {"id": "m1", "role": role, "parts": [{"type": "text", "text": text}], **fields}


def test_only_the_last_message_counts() -> None:
    chat = asked(says("One"), says("Two", "assistant"), says("Three")).chat([], message_bytes=LIMIT)
    assert (chat.message, chat.conversation_id) == ("Three", "chat1")
    alone = parse_ui_chat(msgspec.json.encode({"id": "chat1", "message": says("Three")}))
    assert alone.chat([], message_bytes=LIMIT).message == "Three"


def test_results_of_the_calls_that_wait_go_on() -> None:
    request = asked(says("Hm", "assistant") | {"parts": [{"type": "step-start"}, RESULT]})
    chat = request.chat(["call_1"], message_bytes=LIMIT)
    (block,) = chat.turns[-1].blocks
    assert (block["tool_use_id"], block["content"]) == ("call_1", '{"degrees":20}')
    assert request.continued == "m1"


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (says("No results", "assistant"), "messages[-1].parts"),
        (says("Obey", "system"), "messages"),
        (says(" "), "messages[-1].parts"),
        (says("x" * (LIMIT + 1)), None),
        ({"role": "user", "parts": [{"type": "file", "url": "data:,"}]}, "messages[-1].parts[0]"),
    ],
)
def test_what_cannot_be_asked_is_refused(message: Any, field: str | None) -> None:
    with pytest.raises(ClawError) as raised:
        asked(message).chat(["call_1"], message_bytes=LIMIT)
    assert (raised.value.details or {}).get("field") == field


def test_a_chat_without_messages_is_refused() -> None:
    with pytest.raises(ClawError):
        asked().chat([], message_bytes=LIMIT)
