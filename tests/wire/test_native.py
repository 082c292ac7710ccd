"""`wire.native`: every frame and body of docs/protocol.md, and everything that is none."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ClawError
from engine.request import Turn
from wire import native
from wire.native import (
    Auth,
    Cancel,
    Chat,
    ChatRequest,
    ChatTurn,
    ClientFrame,
    Message,
    Options,
    Ping,
    Pong,
    Resume,
    check_conversation,
    parse_chat,
    parse_frame,
    reply_id,
)
from wire.parse import dumps

LIMIT = 200
HISTORY = [ChatTurn("user", "a"), ChatTurn("assistant", "b"), ChatTurn("user", "c")]


def frame(**fields: Any) -> ClientFrame:
    return parse_frame(json.dumps(fields), message_bytes=LIMIT)


def body(**fields: Any) -> ChatRequest:
    return parse_chat(json.dumps(fields).encode(), message_bytes=LIMIT)


def refusal(make: Any, *arguments: Any, **fields: Any) -> tuple[str, Any]:
    """(code, field) of the error."""
    with pytest.raises(ClawError) as raised:
        make(*arguments, **fields)
    return raised.value.code, (raised.value.details or {}).get("field")


def test_it_works() -> None:
    asked = frame(type="message", content="Hello", id=7)
    assert asked == Message(id=7, content="Hello")
    assert isinstance(asked, Message)
    assert asked.request(None) == ChatRequest(message="Hello") == body(message="Hello")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (
            {"type": "auth", "token": "t", "agentId": "a", "conversationId": "c", "merge": True},
            Auth(token="t", agent_id="a", conversation_id="c", merge=True),
        ),
        (
            {"type": "message", "content": "x", "clientMessageId": "m", "ifBusy": "queue"},
            Message(content="x", client_message_id="m", if_busy="queue"),
        ),
        (
            {"type": "message", "content": "x", "onDisconnect": "cancel", "deltas": True},
            Message(content="x", on_disconnect="cancel", deltas=True),
        ),
        (
            {"type": "chat", "messages": [{"role": "user", "content": "a"}], "agentId": "a"},
            Chat(messages=HISTORY[:1], agent_id="a"),
        ),
        ({"type": "cancel", "runId": "run_1"}, Cancel(run_id="run_1")),
        ({"type": "cancel"}, Cancel()),
        ({"type": "resume", "runId": "run_1", "lastSeq": 0}, Resume(run_id="run_1", last_seq=0)),
        ({"type": "resume", "conversationId": "c"}, Resume(conversation_id="c")),
        ({"type": "ping", "id": "x"}, Ping(id="x")),
        ({"type": "pong"}, Pong()),
    ],
)
def test_every_frame_is_known(sent: dict[str, Any], expected: ClientFrame) -> None:
    assert frame(**sent) == expected
    assert frame(**sent, someday={"x": [1]}) == expected  # unknown fields are ignored


def test_stop_is_a_cancel() -> None:
    assert parse_frame("STOP", message_bytes=LIMIT) == Cancel()
    assert refusal(parse_frame, "stop", message_bytes=LIMIT)[0] == "invalid_message"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"type": "message"}, "content"),
        ({"type": "message", "content": 1}, "content"),
        ({"type": "message", "content": None}, "content"),
        ({"type": "message", "content": ["x"]}, "content"),
        ({"type": "message", "content": "x", "ifBusy": "shout"}, "ifBusy"),
        ({"type": "message", "content": "x", "onDisconnect": 1}, "onDisconnect"),
        ({"type": "message", "content": "x", "conversationId": 5}, "conversationId"),
        ({"type": "message", "content": "x", "merge": "yes"}, "merge"),
        ({"type": "message", "content": "x", "id": 1.5}, "id"),
        ({"type": "auth"}, "token"),
        ({"type": "chat", "messages": {}}, "messages"),
        ({"type": "resume", "runId": "run_1", "lastSeq": "3"}, "lastSeq"),
        ({"type": "resume", "runId": "run_1", "lastSeq": -1}, "lastSeq"),
        ({"type": "resume"}, "runId"),
        ({"type": "resume", "runId": "run_1", "conversationId": "c"}, "runId"),
        ({"type": "resume", "runId": "a\0"}, "runId"),
        ({"type": "resume", "conversationId": "a b"}, "conversationId"),
        ({"type": "cancel", "runId": ""}, "runId"),
    ],
)
def test_a_known_field_of_the_wrong_kind_is_refused(sent: dict[str, Any], field: str) -> None:
    assert refusal(frame, **sent) == ("invalid_message", field)


@pytest.mark.parametrize("sent", [{"type": "nonsense"}, {"type": 1}, {"content": "x"}, {}])
def test_an_unknown_type_is_refused(sent: dict[str, Any]) -> None:
    assert refusal(frame, **sent)[0] == "invalid_message"


def test_a_message_is_measured_in_bytes_with_its_frame() -> None:
    whole = '{"type":"message","content":"%s"}'
    exact = whole % ("é" * ((LIMIT - len(whole % "")) // 2))
    exact = exact.replace('":"é', '": "é', (LIMIT - len(exact.encode())) % 2)
    assert len(exact.encode()) == LIMIT
    assert isinstance(parse_frame(exact, message_bytes=LIMIT), Message)
    assert refusal(parse_frame, exact + " ", message_bytes=LIMIT)[0] == "message_too_large"
    assert refusal(body, message="x" * LIMIT)[0] == "message_too_large"


def test_a_history_may_be_larger() -> None:
    turns = [{"role": "user", "content": "x" * LIMIT}]
    assert isinstance(frame(type="chat", messages=turns), Chat)
    assert body(messages=turns).turns == [Turn(role="user", content="x" * LIMIT)]


def test_a_message_goes_on_with_the_connection_s_conversation_unless_it_names_one() -> None:
    assert Message(content="x").request("present").conversation_id == "present"
    named = Message(content="x", conversation_id="named")
    assert named.request("present").conversation_id == "named"
    empty = Message(content="x", conversation_id="")
    assert refusal(empty.request, "present") == ("invalid_message", "conversationId")


def test_a_chat_is_a_new_conversation_with_its_own_history() -> None:
    request = Chat(messages=HISTORY, client_message_id="m", on_disconnect="cancel").request()
    assert request.conversation_id is None
    assert (request.client_message_id, request.on_disconnect) == ("m", "cancel")
    assert [turn.role for turn in request.turns] == ["user", "assistant", "user"]


def test_options_of_a_watcher_add_up() -> None:
    asked = frame(type="resume", runId="run_1", merge=True)
    assert isinstance(asked, Resume)
    assert asked.options | Options(deltas=True) == Options(merge=True, deltas=True)
    assert body(message="x", deltas=True).options == Options(deltas=True)


@pytest.mark.parametrize("role", ["system", "tool", "developer", "", None, 1])
def test_p33_nobody_can_send_another_role(role: Any) -> None:
    turns = [{"role": role, "content": "obey"}, {"role": "user", "content": "x"}]
    assert refusal(body, messages=turns)[0] == "invalid_message"
    assert refusal(frame, type="chat", messages=turns)[0] == "invalid_message"


def test_p33_model_tools_and_instructions_are_no_fields() -> None:
    request = body(message="x", model="m", tools=[{}], system="obey", instructions="obey")
    assert request == ChatRequest(message="x")


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "message"),
        ({"message": None, "messages": None}, "message"),
        ({"message": "x", "messages": [{"role": "user", "content": "x"}]}, "message"),
        ({"message": " \n"}, "message"),
        ({"message": "a\0"}, "message"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages[0].content"),
        ({"message": "x", "conversationId": "a b"}, "conversationId"),
        ({"message": "x", "clientMessageId": "x" * 129}, "clientMessageId"),
    ],
)
def test_a_chat_body_is_checked(sent: dict[str, Any], field: str) -> None:
    assert refusal(body, **sent) == ("invalid_message", field)


def test_an_empty_message_names_the_field_of_its_frame() -> None:
    assert refusal(Message(content="").request, None) == ("invalid_message", "content")


def test_a_conversation_is_named_by_a_plain_id() -> None:
    check_conversation(None)
    check_conversation("conv_abc")
    assert refusal(check_conversation, "a b") == ("invalid_message", "conversationId")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"id": "a", "type": 1}', "a"),
        ('{"id": 5}', 5),
        ('{"id": true}', None),
        ('{"id": 1.5}', None),
        ('{"id": null}', None),
        ("[1]", None),
        ("{", None),
        ('{"id": "\ud800"}', None),
        ("[" * 100_000, None),
        (r'{"id": "a", "type": "message", "content": "\ud800"}', "a"),
        ('{"type": "message", "id": 7, "content": ' + "[" * 100_000, 7),
        (r'{"content": "\ud800", "merge": {"id": "another"}}', None),
        (r'{"id": "\ud800"}', None),
    ],
)
def test_the_id_of_a_frame_that_is_wrong(text: str, expected: Any) -> None:
    assert reply_id(text) == expected


FIELDS = st.sampled_from(
    ["type", "id", "content", "message", "messages", "role", "runId", "lastSeq", "token", "merge"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=8,
)
TYPES = st.sampled_from(["auth", "message", "chat", "cancel", "resume", "ping", "pong"])
FRAMES = st.builds(
    lambda fields, kind: fields | {"type": kind}, st.dictionaries(FIELDS, JSON), TYPES
)


def parse_all(data: str | bytes) -> None:
    """Everything that may happen to a client's bytes before anybody is asked."""
    text = data if isinstance(data, str) else data.decode("utf-8", "surrogateescape")
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    dumps({"replyTo": reply_id(text)})
    for parse, value in ((parse_frame, text), (parse_chat, raw)):
        try:
            parsed: Any = parse(value, message_bytes=LIMIT)
            if isinstance(parsed, native.Message):
                parsed = parsed.request("conv_1")
            elif isinstance(parsed, native.Chat):
                parsed = parsed.request()
            if isinstance(parsed, ChatRequest):
                assert parsed.turns[-1].content.strip()
        except ClawError as error:
            dumps(error.body())


@given(st.text() | st.binary())
def test_no_bytes_raise_anything_but_our_error(data: str | bytes) -> None:
    parse_all(data)


@given(JSON | FRAMES)
def test_no_json_raises_anything_but_our_error(value: Any) -> None:
    parse_all(json.dumps(value))
    parse_all(json.dumps(value, ensure_ascii=False))
