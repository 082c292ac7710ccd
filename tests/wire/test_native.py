"""`wire.native`: every frame and body of docs/protocol.md, and everything that is none."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ClawError
from engine.request import Turn
from wire import native
from wire.errors import envelope_of
from wire.native import (
    MAX_ANSWER,
    MAX_TURNS,
    Answer,
    Auth,
    Cancel,
    Chat,
    ChatRequest,
    ChatTurn,
    ClientFrame,
    ClientResult,
    ClientTool,
    MessageFrame,
    Options,
    PageContext,
    Ping,
    Pong,
    Reply,
    Resume,
    ToolResult,
    check_conversation,
    check_reply,
    parse_chat,
    parse_content,
    parse_frame,
    reply_id,
)
from wire.native.asking import MAX_TOOLS, MAX_TOOLS_BYTES
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
    assert asked == MessageFrame(id=7, content="Hello")
    assert isinstance(asked, MessageFrame)
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
            MessageFrame(content="x", client_message_id="m", if_busy="queue"),
        ),
        (
            {"type": "message", "content": "x", "onDisconnect": "cancel", "deltas": True},
            MessageFrame(content="x", on_disconnect="cancel", deltas=True),
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
    assert isinstance(parse_frame(exact, message_bytes=LIMIT), MessageFrame)
    assert refusal(parse_frame, exact + " ", message_bytes=LIMIT)[0] == "message_too_large"
    assert refusal(body, message="x" * LIMIT)[0] == "message_too_large"


def test_a_history_may_be_larger() -> None:
    turns = [{"role": "user", "content": "x" * LIMIT}]
    assert isinstance(frame(type="chat", messages=turns), Chat)
    assert body(messages=turns).turns == [Turn(role="user", content="x" * LIMIT)]


def test_a_message_goes_on_with_the_connection_s_conversation_unless_it_names_one() -> None:
    assert MessageFrame(content="x").request("present").conversation_id == "present"
    named = MessageFrame(content="x", conversation_id="named")
    assert named.request("present").conversation_id == "named"
    empty = MessageFrame(content="x", conversation_id="")
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


def test_a_history_has_a_limit_that_its_error_names() -> None:
    turns = [{"role": "user", "content": "a"}] * MAX_TURNS
    assert len(body(messages=turns).turns) == MAX_TURNS

    for refused in (
        lambda: body(messages=[*turns, turns[0]]),
        lambda: frame(type="chat", messages=[*turns, turns[0]]).request(),
    ):
        with pytest.raises(ClawError, match=str(MAX_TURNS)) as raised:
            refused()
        assert raised.value.details == {"field": "messages", "limit": MAX_TURNS}


def test_p33_model_and_instructions_are_no_fields() -> None:
    request = body(message="x", model="m", system="obey", instructions="obey")
    assert request == ChatRequest(message="x")


TOOL = {"name": "add_to_cart", "description": "Adds.", "inputSchema": {"type": "object"}}


def test_a_message_may_bring_the_page_that_it_was_written_on() -> None:
    page = {"title": "Boots", "url": "https://shop.example/boots", "data": {"cart": [1]}}
    context = PageContext(**page)
    framed = frame(type="message", content="x", context=page)
    assert isinstance(framed, MessageFrame)
    assert body(message="x", context=page).context == framed.request(None).context == context
    chat = frame(type="chat", messages=[{"role": "user", "content": "x"}], context=page)
    assert isinstance(chat, Chat) and chat.request().context == context
    content = json.dumps({"content": "x", "context": page}).encode()
    assert parse_content(content, message_bytes=LIMIT)[0].context == context
    assert body(message="x" * 100, context={"selection": "y" * 4000}).context
    for wrong, field in [
        ({"selection": "y" * 17_000}, "context"),
        ({"data": {"a": "\0"}}, "context"),
        ({"data": {"n": 2**70}}, "context"),
        ({"title": "y" * 1001}, "context.title"),
        ({"cookies": "y"}, "context.cookies"),
        ("Boots", "context"),
    ]:
        assert refusal(body, message="x", context=wrong) == ("invalid_message", field)


def test_a_message_may_bring_tools() -> None:
    tools = [ClientTool("add_to_cart", "Adds.", {"type": "object"})]
    framed = frame(type="message", content="x", tools=[TOOL])
    assert isinstance(framed, MessageFrame)
    assert body(message="x", tools=[TOOL]).tools == framed.request(None).tools == tools
    chat = frame(type="chat", messages=[{"role": "user", "content": "x"}], tools=[TOOL])
    assert isinstance(chat, Chat) and chat.request().tools == tools
    content = json.dumps({"content": "x", "tools": [TOOL]}).encode()
    assert parse_content(content, message_bytes=LIMIT)[0].tools == tools
    bare = body(message="x", tools=[{"name": "a", "call": "ignored"}])
    assert bare.tools == [ClientTool("a")]


@pytest.mark.parametrize(
    ("tool", "field"),
    [
        ({}, "tools[0].name"),
        ({"name": ""}, "tools[0].name"),
        ({"name": "a b"}, "tools[0].name"),
        ({"name": "a" * 65}, "tools[0].name"),
        ({"name": "a", "inputSchema": []}, "tools[0].inputSchema"),
        ({"name": "a", "inputSchema": {"type": "string"}}, "tools[0].inputSchema"),
        ({"name": "a", "inputSchema": {"x": "\0"}}, "tools[0].inputSchema"),
        ({"name": "a", "inputSchema": {"x": 10**30}}, "tools[0].inputSchema"),
        ({"name": "a", "inputSchema": {"x": 2**63}}, "tools[0].inputSchema"),
        ({"name": "a", "description": "\0"}, "tools[0].description"),
        ({"name": "a", "description": "x" * MAX_TOOLS_BYTES}, "tools"),
    ],
)
def test_a_tool_that_no_model_server_takes(tool: dict[str, Any], field: str) -> None:
    assert refusal(body, message="x", tools=[tool]) == ("invalid_message", field)


def test_tools_are_few_and_no_two_have_one_name() -> None:
    assert refusal(body, message="x", tools=[TOOL, TOOL]) == ("invalid_message", "tools[1].name")
    many = [{"name": f"t{n}"} for n in range(MAX_TOOLS + 1)]
    assert refusal(body, message="x", tools=many) == ("invalid_message", "tools")


def test_tools_do_not_count_as_the_text_of_a_message() -> None:
    tools = [TOOL | {"description": "x" * LIMIT}]
    assert len(body(message="x", tools=tools).tools) == 1
    assert len(frame(type="message", content="x", tools=tools).tools) == 1  # type: ignore[union-attr]
    assert refusal(body, message="x" * LIMIT, tools=tools)[0] == "message_too_large"


def test_the_answer_to_a_question() -> None:
    given = frame(type="answer", id="call_1", text="Large", runId="run_1")
    assert isinstance(given, Answer)
    assert (given.reply, given.run_id) == (Reply(id="call_1", text="Large"), "run_1")
    declined = frame(type="answer", id="call_1", decline=True)
    assert isinstance(declined, Answer) and declined.reply == Reply(id="call_1", decline=True)
    long = "x" * (MAX_ANSWER + 1)
    assert refusal(frame, type="answer", id="call_1", text=long) == ("invalid_message", "text")
    assert refusal(check_reply, Reply(id="a")) == ("invalid_message", "text")
    assert refusal(check_reply, Reply(id="a", text="b", decline=True))[0] == "invalid_message"


def test_the_result_of_a_tool() -> None:
    given = frame(type="tool_result", id="call_1", result={"ok": 1}, isError=True, runId="run_1")
    assert isinstance(given, ToolResult)
    assert given.given == ClientResult(id="call_1", result={"ok": 1}, is_error=True)
    assert refusal(frame, type="tool_result", id="call_1") == ("invalid_message", "result")


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
    assert refusal(MessageFrame(content="").request, None) == ("invalid_message", "content")


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
            if isinstance(parsed, native.MessageFrame):
                parsed = parsed.request("conv_1")
            elif isinstance(parsed, native.Chat):
                parsed = parsed.request()
            if isinstance(parsed, ChatRequest):
                assert parsed.turns[-1].content.strip()
        except ClawError as error:
            dumps(envelope_of(error, "req_1"))


@given(st.text() | st.binary())
def test_no_bytes_raise_anything_but_our_error(data: str | bytes) -> None:
    parse_all(data)


@given(JSON | FRAMES)
def test_no_json_raises_anything_but_our_error(value: Any) -> None:
    parse_all(json.dumps(value))
    parse_all(json.dumps(value, ensure_ascii=False))
