"""`wire.encoders.ai_sdk`: chunks of a UI message stream."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from engine.errors import ClawError
from tests import fixtures
from tests.wire.contract import WHOLE, EncoderContract, batch_of, cut, snapshot_at
from tests.wire.encoders.test_native import read
from wire.encoders.ai_sdk import UiMessageChunks
from wire.selection import Selection
from wire.visibility import EVERYTHING

DONE = b"[DONE]"


def chunks(writes: Sequence[bytes]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(data) for data in read(b"".join(writes)) if data != DONE]


def told(name: str) -> list[dict[str, Any]]:
    encoder = UiMessageChunks(Selection(EVERYTHING), "run_1", message_id="msg_1")
    return chunks(encoder.opening() + encoder.events(batch_of(name)) + encoder.close())


class TestUiMessageChunks(EncoderContract):
    protocol = UiMessageChunks

    def text(self, writes: Sequence[bytes]) -> str:
        return "".join(each["delta"] for each in chunks(writes) if each["type"] == "text-delta")

    def left_open(self, writes: Sequence[bytes]) -> bool:
        """A part without its end, or a stream without its own."""
        types = [each["type"] for each in chunks(writes)]
        opened = [types.count(f"{kind}-start") for kind in ("text", "reasoning")]
        closed = [types.count(f"{kind}-end") for kind in ("text", "reasoning")]
        return opened != closed or read(b"".join(writes)).count(DONE) != 1


def test_a_message_begins_with_its_id_and_ends_with_its_usage() -> None:
    first, step, *_, finish = told("complete")
    assert (first["type"], first["messageId"]) == ("start", "msg_1")
    assert step == {"type": "start-step"}
    assert (finish["type"], finish["finishReason"]) == ("finish", "stop")
    assert finish["messageMetadata"]["usage"]["totalTokens"] > 0


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_a_part_is_open_while_its_pieces_come_and_no_other_is(name: str) -> None:
    opened: list[str] = []
    for chunk in told(name):
        kind, _, what = chunk["type"].partition("-")
        if what == "start" and kind in ("text", "reasoning"):
            assert not opened
            opened.append(chunk["id"])
        elif what == "delta":
            assert [chunk["id"]] == opened
        elif what == "end":
            assert opened.pop() == chunk["id"]
        elif kind != "data":
            assert not opened


def test_the_end_is_an_abort_or_an_error_where_the_answer_is_not_whole() -> None:
    assert told("cancelled")[-1] == {"type": "abort"}
    failed = told("failed")[-1]
    assert failed["type"] == "error" and failed["errorText"]
    assert not {"finish", "finish-step"} & {each["type"] for each in told("failed")}


def test_tools_of_the_agent_are_dynamic_and_the_client_s_are_not() -> None:
    calls = {
        each["toolName"]: each for each in told("decided") if each["type"] == "tool-input-available"
    }
    assert calls["book"]["dynamic"] and calls["book"]["providerExecuted"]
    assert "dynamic" not in calls["show_map"] and "providerExecuted" not in calls["show_map"]
    results = [each for each in told("tools") if each["type"].startswith("tool-output-")]
    assert results and all(each["dynamic"] for each in results)


def test_a_decision_changes_the_part_of_its_approval() -> None:
    approvals = [each for each in told("decided") if each["type"] == "data-approval"]
    by_id: dict[str, dict[str, Any]] = {}
    for each in approvals:
        assert each["data"].keys() >= by_id.get(each["id"], {}).keys()
        by_id[each["id"]] = each["data"]
    assert {each["approved"] for each in by_id.values()} == {True, False}
    assert all(each["runId"] == "run_1" and each["argsDigest"] for each in by_id.values())
    (question,) = [each for each in told("decided") if each["type"] == "data-question"]
    assert question["data"]["choices"] == ["Monday", "Tuesday"]


def test_a_source_comes_once() -> None:
    named = [each["sourceId"] for each in told("sources") if each["type"].startswith("source-")]
    assert named and len(named) == len(set(named))


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_a_snapshot_tells_what_was_not_told(name: str) -> None:
    """The same calls, results, approvals and questions, each once, and the same end."""
    whole = told(name)
    batches = cut(batch_of(name), 1)
    for at in range(1, len(batches)):
        encoder = UiMessageChunks(Selection(EVERYTHING), "run_1", message_id="msg_1")
        writes = encoder.opening()
        for batch in batches[: at // 2]:
            writes = writes + encoder.events(batch)
        lines = [line for _, (line,), _ in batches[:at]]
        writes = writes + encoder.snapshot(snapshot_at(([], lines, at)))
        for batch in batches[at:]:
            writes = writes + encoder.events(batch)
        found = chunks(writes + encoder.close())
        for type_ in ("tool-input-available", "tool-output-available", "source-url"):
            count = [each for each in found if each["type"] == type_]
            assert len(count) == len([each for each in whole if each["type"] == type_]), (at, type_)
        assert found[-1]["type"] == whole[-1]["type"]


def test_nothing_follows_the_end() -> None:
    for name in WHOLE:
        encoder = UiMessageChunks(Selection(EVERYTHING), "run_1")
        encoder.events(batch_of(name))
        assert encoder.close(ClawError("unavailable", "Soon.")) == []
        assert encoder.events(batch_of(name)) == []
        assert encoder.snapshot(snapshot_at(batch_of(name))) == []
