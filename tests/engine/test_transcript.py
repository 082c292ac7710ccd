"""`engine.transcript`: the fold, on the runs in tests/fixtures."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import events as ev
from engine.events import Stamp, decode
from engine.transcript import FINAL, Transcript, fold, fold_all
from tests import fixtures

STAMP = Stamp("run_1", "conv_1", "msg_1")


def lines(name: str) -> list[bytes]:
    return [msgspec.json.encode(event) for event in fixtures.load(name)["events"]]


def snapshot(name: str) -> dict[str, Any]:
    found: dict[str, Any] = fixtures.load(name)["snapshot"]
    return found


def test_it_works() -> None:
    transcript = fold_all(lines("complete"))
    assert transcript.message() == snapshot("complete")["message"]
    assert (transcript.status, transcript.stop_reason) == ("completed", "end_turn")


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_the_fold_of_a_run_is_its_snapshot(name: str) -> None:
    assert fold_all(lines(name)).snapshot() == snapshot(name)


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_it_can_be_cut_anywhere_and_gone_on_with(name: str) -> None:
    events = lines(name)
    for cut in range(len(events) + 1):
        transcript = fold_all(events[:cut])
        transcript.snapshot()  # asking changes nothing
        assert fold_all(events[cut:], transcript).snapshot() == snapshot(name)


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
    assert fold_all([events[0], newer, *events[1:]]).snapshot() == snapshot("complete")
    assert fold_all([events[0], newer]).last_seq == 2


def test_the_statuses_of_a_run() -> None:
    seen = []
    transcript = Transcript()
    for line in lines("complete"):
        status = fold(transcript, decode(line)).status
        if status not in seen:
            seen.append(status)
    assert seen == ["queued", "streaming", "completed"]
    assert {fold_all(lines(name)).status for name in fixtures.NAMES} >= FINAL


def test_what_was_produced_is_what_a_watcher_may_have_seen() -> None:
    assert not fold_all(lines("queued")).produced
    assert not fold_all(lines("thinking")[:2]).produced
    assert fold_all(lines("thinking")[:3]).produced
    assert fold_all(lines("streaming")).produced


def test_an_empty_transcript_is_queued_and_has_no_ids() -> None:
    empty = Transcript().snapshot()
    assert (empty["status"], empty["lastSeq"], empty["message"]["content"]) == ("queued", 0, "")


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
