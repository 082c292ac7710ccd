"""`engine.events`: one vocabulary, and JSON that comes back as it went."""

import json
from datetime import UTC, datetime
from typing import Any, get_args

import msgspec
import pytest

from engine import events as ev
from engine.events import AnyEvent, Event, Stamp, decode, seq_of, type_of
from tests import fixtures

STAMP = Stamp("run_1", 'conv "1"', "msg_é")
USAGE = ev.Usage(
    input_tokens=1,
    output_tokens=2,
    total_tokens=3,
    cost=None,
    model="m",
    latency_ms=4,
    ttft_ms=None,
    tokens_per_second=0.5,
    source="estimated",
)
SOURCE = ev.Source(
    document_id="doc_1", title="T", chunk_id=1, start=0, end=2, excerpt="hm", url="https://x"
)
EXAMPLES: list[Event] = [
    ev.RunStarted(
        agent_id="agt_1",
        provider="demo",
        model="m",
        user_message_id="msg_0",
        user_content='"\n\u2028😀\\',
        client_message_id="c",
        context={"url": "https://x", "data": {"a": [1]}},
        queued=3,
    ),
    ev.Typing(status="start"),
    ev.Status(message="Searching", stage="search"),
    ev.Sources(sources=[SOURCE]),
    ev.Thinking(content="hm", index=0),
    ev.Token(content="", index=7, count=2),
    ev.ToolCallDelta(index=0, arguments='{"a', id="t", name="n"),
    ev.ToolCall(id="t", tool="n", args={"a": [1, None]}, name="n", arguments={"a": [1, None]}),
    ev.ToolResult(id="t", tool="n", result={"x": 1.5}, is_error=True, duration_ms=3),
    ev.Step(stop_reason="tool_use", blocks=[{"type": "text", "text": "x"}]),
    ev.RunWaiting(
        pending=[ev.Pending(kind="question", id="t")],
        expires_at=datetime(2100, 1, 1, tzinfo=UTC),
        worked_ms=7,
    ),
    ev.Timeline(began_at=datetime(2100, 1, 1, tzinfo=UTC), seqs=[3], ms=[4, 5]),
    ev.MemoryOp(op="save", key="k"),
    ev.UsageReported(
        input_tokens=1,
        output_tokens=2,
        cache_read_tokens=3,
        cache_write_tokens=4,
        reasoning_tokens=5,
        cost=0.25,
        source="provider",
    ),
    ev.MessageComplete(content="hi", usage=USAGE, stop_reason="end_turn"),
    ev.Cancelled(content="hi", usage=USAGE),
    ev.Failed(
        code="upstream_error",
        message="It failed.",
        retryable=False,
        content="",
        usage=USAGE,
        retry_after=5,
    ),
    ev.Steered(user_message_id="msg_2", content="Hurry", context={"title": "T"}),
    ev.ApprovalRequired(
        id="call_1",
        tool="book",
        args={"room": 1},
        args_digest="sha256:00",
        expires_at=datetime(2100, 1, 1, tzinfo=UTC),
        approvers="visitor",
        editable=True,
    ),
    ev.ApprovalDecided(
        id="call_1",
        approved=True,
        by=ev.DecidedBy(kind="member", id="mem_1"),
        approvers="members",
        args={"room": 2},
        reason="It is larger.",
    ),
    ev.Question(
        id="call_2",
        text="Which day?",
        expires_at=datetime(2100, 1, 1, tzinfo=UTC),
        choices=["Monday"],
        schema={"type": "string"},
    ),
    ev.Done(
        reason="budget_exceeded",
        usage=USAGE,
        cost=None,
        metrics=ev.Metrics(ttft_ms=1, total_ms=2, token_count=3, tokens_per_second=None),
        digest="sha256:00",
        length=2,
    ),
]


def marked(event: Event, seq: int) -> Event:
    """The event as it should come back."""
    ids: dict[str, Any] = {"run_id": STAMP.run_id, "seq": seq}
    if not event.brief:
        ids |= {"conversation_id": STAMP.conversation_id, "message_id": STAMP.message_id}
    return msgspec.structs.replace(event, **ids)


def test_it_works() -> None:
    line = STAMP.seal(ev.Token(content="Hi", index=0), 3)
    assert line == b'{"type":"token","content":"Hi","index":0,"runId":"run_1","seq":3}'
    assert decode(line) == ev.Token(content="Hi", index=0, run_id="run_1", seq=3)


def test_there_is_an_example_of_every_event() -> None:
    assert {type(event) for event in EXAMPLES} == set(get_args(AnyEvent))


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.type)
def test_every_event_comes_back_as_it_went(event: Event) -> None:
    line = STAMP.seal(event, 12)
    assert decode(line) == marked(event, 12)
    assert type_of(line) == event.type == json.loads(line)["type"]
    assert seq_of(line) == json.loads(line)["seq"]


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.type)
def test_a_sealed_event_is_one_line_with_its_position_last(event: Event) -> None:
    line = STAMP.seal(event, 12)
    assert b"\n" not in line and b"\r" not in line
    assert list(json.loads(line))[-1] == "seq"


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.type)
def test_brief_events_name_only_their_run(event: Event) -> None:
    names = set(json.loads(STAMP.seal(event, 1)))
    assert names >= {"type", "runId", "seq"}
    assert ({"conversationId", "messageId"} <= names) is not event.brief


def test_a_marked_start_is_what_the_log_gives_back() -> None:
    started = EXAMPLES[0]
    assert isinstance(started, ev.RunStarted)
    assert STAMP.mark(started, 1) == decode(STAMP.seal(started, 1))


def test_absent_is_not_null() -> None:
    assert b"count" not in STAMP.seal(ev.Token(content="a", index=0), 1)
    assert b"blocks" not in STAMP.seal(ev.Step(stop_reason="end_turn"), 1)
    assert json.loads(STAMP.seal(EXAMPLES[-1], 1))["cost"] is None


def test_a_newer_writer_s_fields_are_ignored() -> None:
    line = b'{"type":"token","content":"a","index":0,"later":{"x":1},"runId":"r","seq":1}'
    assert decode(line) == ev.Token(content="a", index=0, run_id="r", seq=1)


@pytest.mark.parametrize("line", [b'{"type":"other","seq":1}', b'{"type":"token","seq":1}', b"{"])
def test_what_is_no_event_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(line)


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_an_undeclared_field_in_a_fixture_is_a_mistake(name: str) -> None:
    for event in fixtures.load(name)["events"]:
        declared = msgspec.to_builtins(decode(json.dumps(event).encode()))
        assert set(event) <= set(declared)
        assert {key: declared[key] for key in event} == event
