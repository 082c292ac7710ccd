"""`wire.visibility`: one rule for streams, snapshots and history."""

import json
from typing import Any

import msgspec

from tests import fixtures
from wire.frames import Snapshot
from wire.objects.conversations import Message, Run
from wire.parse import dumps
from wire.visibility import EVERYTHING, WITH_USAGE, Visibility, visible

EVENTS = [event for name in ("tools", "cancelled") for event in fixtures.load(name)["events"]]
SOURCES = fixtures.snapshot("sources")["message"]["sources"]
MESSAGE = msgspec.convert(
    fixtures.snapshot("tools")["message"] | {"thinking": "hm", "sources": SOURCES}, Message
)
RUN = Run(
    id="run_1",
    status="running",
    agent_id="agt_1",
    agent_version=1,
    conversation_id="conv_1",
    message_id="msg_1",
    content="",
    usage=MESSAGE.usage,
    error=None,
    pending=[],
    last_seq=1,
    created_at=MESSAGE.created_at,
    started_at=None,
    first_token_at=None,
    finished_at=None,
    provider="demo",
    model="demo",
)


def shown_to(seen: Visibility, event: dict[str, Any]) -> dict[str, Any] | None:
    """An event as this watcher gets it."""
    if event["type"] not in seen.rewrites:
        return None if event["type"] in seen.hidden else event
    data = seen.event(event["type"], json.dumps(event).encode())
    return None if data is None else json.loads(data)


def test_it_works() -> None:
    seen = visible(trusted=True, show_thinking=False, show_tools=False)
    assert seen.hidden == {"step", "run_waiting", "timeline", "memory_op", "tool_call_delta"}
    assert seen.message(MESSAGE) == MESSAGE


def test_fragments_of_tool_calls_are_for_those_who_ask() -> None:
    asked = visible(trusted=True, show_thinking=False, show_tools=False, deltas=True)
    assert asked.hidden == {"step", "run_waiting", "timeline", "memory_op"}


def test_a_visitor_sees_what_the_agent_shows() -> None:
    nothing = visible(trusted=False, show_thinking=False, show_tools=False, deltas=True)
    assert nothing.hidden == {
        *(
            "step",
            "run_waiting",
            "memory_op",
            "timeline",
            "thinking",
            "sources",
            "tool_call_delta",
            "usage",
        )
    }
    all_of_it = visible(
        trusted=False, show_thinking=True, show_tools=True, show_usage=True, deltas=True
    )
    assert all_of_it.hidden == {"step", "run_waiting", "timeline", "memory_op"}


def test_what_is_hidden_in_a_stream_is_hidden_in_a_message() -> None:
    shown = visible(trusted=False, show_thinking=False, show_tools=False).message(MESSAGE)
    assert shown.thinking is msgspec.UNSET
    assert shown.tools == shown.sources == []
    assert shown.content == MESSAGE.content


def test_a_visitor_sees_no_model_tokens_or_cost_unless_the_agent_shows_them() -> None:
    hidden = visible(trusted=False, show_thinking=True, show_tools=True)
    for event in EVENTS:
        type_ = event["type"]
        if type_ in hidden.hidden:
            continue
        seen = shown_to(hidden, event)
        assert seen is not None
        told = json.dumps(seen)
        for word in ("model", "provider", "cost", "inputTokens", "tokenCount", "tokensPerSecond"):
            assert f'"{word}"' not in told, told
        assert {"type", "runId", "seq"} <= seen.keys()
    assert hidden.message(MESSAGE).usage is None
    assert RUN.usage is not None
    told = dumps(hidden.run(RUN)).decode()
    assert '"usage":null' in told and "provider" not in told and "model" not in told
    for shown in (
        visible(trusted=False, show_thinking=True, show_tools=True, show_usage=True),
        visible(trusted=True, show_thinking=True, show_tools=True),
    ):
        assert not shown.rewrites.keys() & WITH_USAGE
        assert shown.message(MESSAGE) == MESSAGE
        assert shown.run(RUN) == RUN


def test_a_snapshot_hides_what_its_message_hides() -> None:
    snapshot = msgspec.convert(fixtures.snapshot("tools"), Snapshot)
    hidden = visible(trusted=False, show_thinking=False, show_tools=False)
    assert hidden.snapshot(snapshot).message == hidden.message(snapshot.message)
    assert hidden.snapshot(snapshot).last_seq == snapshot.last_seq


REQUIRED: dict[str, Any] = {
    **{"type": "approval_required", "id": "call_1", "tool": "pay", "args": {"to": "Bob"}},
    **{"argsDigest": "sha256:00", "expiresAt": "2100-01-01T00:00:00Z", "approvers": "members"},
    **{"runId": "run_1", "conversationId": "conv_1", "messageId": "msg_1", "seq": 7},
}
DECIDED: dict[str, Any] = {
    **{"type": "approval_decided", "id": "call_1", "approved": True, "approvers": "members"},
    **{"by": {"kind": "member", "id": "mem_1"}, "runId": "run_1", "seq": 8},
}
VISITOR = visible(trusted=False, show_thinking=False, show_tools=False)


def test_an_approval_of_the_members_is_a_status_for_visitors() -> None:
    status = shown_to(VISITOR, REQUIRED)
    assert status == {
        **{"type": "status", "message": "Waiting for approval...", "stage": "approval"},
        **{"runId": "run_1", "conversationId": "conv_1", "messageId": "msg_1", "seq": 7},
    }
    assert shown_to(VISITOR, DECIDED) is None


def test_a_visitor_sees_what_it_may_decide_and_not_who_else_did() -> None:
    required = REQUIRED | {"approvers": "visitor"}
    assert shown_to(VISITOR, required) == required
    decided = shown_to(VISITOR, DECIDED | {"approvers": "visitor"})
    assert decided is not None and decided["by"] == {"kind": "member"}


def test_a_visitor_sees_the_calls_that_its_page_carries_out() -> None:
    for type_ in ("tool_call", "tool_result"):
        event = {"type": type_, "id": "call_1", "client": True}
        assert shown_to(VISITOR, event) == event
        assert shown_to(VISITOR, {"type": type_, "id": "call_1"}) is None


def test_a_visitor_sees_the_questions_to_it_and_its_answers() -> None:
    call = {"type": "tool_call", "id": "call_1", "tool": "ask_user", "args": {"text": "Which?"}}
    assert shown_to(VISITOR, call) == call
    result = {"type": "tool_result", "id": "call_1", "tool": "ask_user", "client": True}
    assert shown_to(VISITOR, result) == result


def test_a_visitor_finds_the_calls_of_its_page_and_its_answers_in_the_history() -> None:
    message = msgspec.convert(fixtures.snapshot("waiting")["message"], Message)
    mine = [tool for tool in message.tools if tool.client is True or tool.tool == "ask_user"]
    assert 0 < len(mine) < len(message.tools)
    assert VISITOR.message(message).tools == mine


def test_pending_has_what_a_visitor_may_decide() -> None:
    snapshot = msgspec.convert(fixtures.snapshot("waiting"), Snapshot)
    hidden = msgspec.structs.replace(snapshot.pending[1], approvers="members")
    pending = [snapshot.pending[0], hidden, *snapshot.pending[2:]]
    snapshot = msgspec.structs.replace(snapshot, pending=pending)
    assert VISITOR.snapshot(snapshot).pending == [pending[0], *pending[2:]]
    run = msgspec.structs.replace(RUN, pending=pending)
    assert VISITOR.run(run).pending == [pending[0], *pending[2:]]
    assert EVERYTHING.run(run).pending == pending


def test_a_message_does_not_tell_a_visitor_who_has_decided() -> None:
    message = msgspec.convert(fixtures.snapshot("decided")["message"], Message)
    shown = visible(trusted=False, show_thinking=True, show_tools=True).message(message)
    assert "mem_1" not in dumps(shown).decode()
    assert "mem_1" in dumps(EVERYTHING.message(message)).decode()
