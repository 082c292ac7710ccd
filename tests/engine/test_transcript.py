"""`engine.transcript`: the fold, on the runs in tests/fixtures."""

from datetime import UTC, datetime
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from engine import events as ev
from engine.events import Stamp, decode
from engine.transcript import MessageStatus, Transcript, fold, fold_all
from tests import fixtures

STAMP = Stamp("run_1", "conv_1", "msg_1")


def lines(name: str) -> list[bytes]:
    return [msgspec.json.encode(event) for event in fixtures.load(name)["events"]]


def test_it_works() -> None:
    transcript = fold_all(lines("complete"))
    assert (transcript.status, transcript.stop_reason) == ("completed", "end_turn")
    assert transcript.last_seq == len(lines("complete"))


def test_a_tool_has_a_result_once_it_has_come() -> None:
    events = lines("tools")
    called = next(n for n, line in enumerate(events, 1) if ev.type_of(line) == "tool_call")
    (tool,) = fold_all(events[:called]).tools
    assert (tool.result, tool.is_error, tool.duration_ms) == (UNSET, UNSET, UNSET)
    ended = fold_all(events).tools[0]
    assert UNSET not in (ended.result, ended.is_error, ended.duration_ms)


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_only_a_run_that_failed_has_an_error(name: str) -> None:
    transcript = fold_all(lines(name))
    failed = transcript.status in ("failed", "interrupted")
    assert (transcript.error is not None) is failed


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_done_describes_the_text(name: str) -> None:
    transcript = fold_all(lines(name))
    if transcript.done is not None and transcript.outcome is not None:
        assert transcript.outcome.content == str(transcript.text)
        assert transcript.done.digest == transcript.text.digest()
        assert transcript.done.length == transcript.text.size
        assert transcript.done.metrics.token_count == transcript.token_count


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_p13_the_reports_add_up_to_the_outcome(name: str) -> None:
    transcript = fold_all(lines(name))
    if transcript.outcome is not None:
        usage = transcript.outcome.usage
        assert sum(report.input_tokens for report in transcript.reports) == usage.input_tokens
        assert sum(report.output_tokens for report in transcript.reports) == usage.output_tokens


def test_events_of_a_newer_version_add_nothing() -> None:
    """In a rolling deploy an older process may show a run of a newer one."""
    events = lines("complete")
    newer = b'{"type":"hologram","content":[],"runId":"run_1","seq":2}'
    transcript = fold_all([events[0], newer, *events[1:]])
    assert (str(transcript.text), transcript.status) == (
        str(fold_all(events).text),
        "completed",
    )
    assert fold_all([events[0], newer]).last_seq == 2


def test_the_statuses_of_a_run() -> None:
    seen = []
    transcript = Transcript()
    for line in lines("complete"):
        status = fold(transcript, decode(line)).status
        if status not in seen:
            seen.append(status)
    assert seen == ["queued", "streaming", "completed"]
    known = {fold_all(lines(name)).status for name in fixtures.NAMES}
    assert known == set(get_args(MessageStatus))


def test_what_was_produced_is_what_a_watcher_may_have_seen() -> None:
    assert not fold_all(lines("queued")).produced
    assert not fold_all(lines("thinking")[:2]).produced
    assert fold_all(lines("thinking")[:3]).produced
    assert fold_all(lines("streaming")).produced


def test_an_empty_transcript_is_queued() -> None:
    assert (Transcript().status, Transcript().last_seq, Transcript().started) == ("queued", 0, None)


def test_a_result_without_its_call_is_left_out() -> None:
    result = ev.ToolResult(id="other", tool="t", result=1, is_error=False, duration_ms=1)
    assert fold(Transcript(), result).tools == []


def test_a_surrogate_pair_in_two_tokens_is_two_characters_not_half_of_one() -> None:
    transcript = fold_all(lines("complete")[:5])
    assert str(transcript.text) == "Héllo 👩\u200d👩\u200d👧\u200d👦"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=30))
def test_p9_sealed_and_folded_it_is_the_same_text(pieces: list[str]) -> None:
    tokens = [ev.Token(content=piece, index=index) for index, piece in enumerate(pieces)]
    sealed = [STAMP.seal(token, seq) for seq, token in enumerate(tokens, 1)]
    transcript = fold_all(sealed)
    assert str(transcript.text) == "".join(pieces)
    assert (transcript.token_count, transcript.last_seq) == (len(pieces), len(pieces))


def waiting(*ids: str) -> ev.RunWaiting:
    pending = [ev.Pending(kind="question", id=id) for id in ids]
    return ev.RunWaiting(pending=pending, expires_at=datetime(2100, 1, 1, tzinfo=UTC), worked_ms=40)


def test_a_run_waits_until_an_attempt_begins_to_work() -> None:
    t = fold(Transcript(), ev.Typing(status="start"))
    fold(t, ev.Typing(status="stop"))
    fold(t, waiting("a", "b"))
    assert (t.status, t.waiting, t.waits, t.worked_ms) == ("waiting", True, 1, 40)
    assert [call.id for call in t.pending] == ["a", "b"]

    fold(t, ev.Typing(status="start"))
    assert (t.status, t.waiting) == ("streaming", False)
    fold(t, ev.ToolResult(id="a", tool="ask", result="yes", is_error=False, duration_ms=1))
    assert [call.id for call in t.pending] == ["b"]

    cancelled = [decode(line) for line in lines("cancelled")]
    fold(t, next(event for event in cancelled if isinstance(event, ev.Cancelled)))
    assert (t.status, t.pending) == ("cancelled", [])
