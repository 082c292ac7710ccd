"""`wire.selection`: what one watcher gets of a batch, and in what pieces."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import events as ev
from engine.events import Batch, Event, Stamp, decode
from engine.transcript import fold_all
from tests import fixtures
from wire.frames import Snapshot
from wire.selection import Sealed, Selection, merge
from wire.snapshot import snapshot_of
from wire.visibility import visible

STAMP = Stamp("run_1", "conv_1", "msg_1")
VISIBILITY = visible(trusted=True, show_thinking=True, show_tools=True)


def batch(*events: Event) -> Batch:
    lines = [STAMP.seal(event, seq) for seq, event in enumerate(events, 1)]
    return [event.type for event in events], lines, len(events)


def sealed(batch: Batch) -> list[Sealed]:
    """The events one by one."""
    types, lines, last = batch
    return list(zip(range(last - len(lines) + 1, last + 1), types, lines, strict=True))


def tokens(*texts: str, start: int = 0) -> list[Event]:
    return [ev.Token(content=text, index=start + at) for at, text in enumerate(texts)]


START, STOP = ev.Typing(status="start"), ev.Typing(status="stop")


def test_it_works() -> None:
    events = batch(START, ev.Step(stop_reason="x"), *tokens("a", "b"), STOP)
    shown = list(Selection(VISIBILITY).select(events))
    assert shown == [sealed(events)[0], *sealed(events)[2:]]


def test_what_is_not_hidden_is_passed_through_untouched() -> None:
    events = batch(*tokens("a", "b"))
    for shown, stored in zip(Selection(VISIBILITY).select(events), events[1], strict=True):
        assert shown[2] is stored


def test_what_a_visitor_gets_has_no_model_and_no_usage() -> None:
    usage = ev.Usage(
        **dict.fromkeys(("input_tokens", "output_tokens", "total_tokens", "latency_ms"), 1),
        **dict.fromkeys(("cost", "ttft_ms", "tokens_per_second"), None),
        model="secret-model",
        source="provider",
    )
    outcome = ev.MessageComplete(content="ab", usage=usage, stop_reason="end_turn")
    events = batch(*tokens("a", "b"), outcome)
    selection = Selection(visible(trusted=False, show_thinking=True, show_tools=True))
    shown = list(selection.select(events))
    assert [seq for seq, *_ in shown] == [1, 2, 3]
    assert shown[:2] == sealed(events)[:2]
    assert b"secret-model" not in shown[2][2]


def test_neighbouring_tokens_become_one_for_who_asked() -> None:
    events = batch(START, *tokens("a", "b", "c"), STOP, *tokens("d", start=3))
    shown = list(Selection(VISIBILITY, merge=True).select(events))
    assert [(seq, kind) for seq, kind, _ in shown] == [
        (1, "typing"),
        (4, "token"),
        (5, "typing"),
        (6, "token"),
    ]
    assert decode(shown[1][2]) == ev.Token(content="abc", index=0, count=3, run_id="run_1", seq=4)
    assert shown[3] == sealed(events)[5]  # one alone stays as it is


def test_tokens_with_something_hidden_between_them_are_neighbours() -> None:
    events = batch(*tokens("a"), ev.Step(stop_reason="x"), *tokens("b", start=1))
    ((seq, _, data),) = Selection(VISIBILITY, merge=True).select(events)
    assert (seq, decode(data)) == (
        3,
        ev.Token(content="ab", index=0, count=2, run_id="run_1", seq=3),
    )


def test_an_empty_batch_stays_empty() -> None:
    assert list(merge([])) == []


def snapshot(lines: list[bytes]) -> Snapshot:
    return snapshot_of(fold_all(lines), datetime.fromisoformat(fixtures.CREATED))


@pytest.mark.parametrize("merging", [True, False])
def test_a_watcher_that_merges_folds_to_the_same_text(merging: bool) -> None:
    events = batch(START, *tokens("a", "é", "😀"), ev.Thinking(content="t", index=0), STOP)
    shown = [data for _, _, data in Selection(VISIBILITY, merge=merging).select(events)]
    assert snapshot(shown) == snapshot(events[1])


@given(st.lists(st.sampled_from(["token", "thinking", "step"]), max_size=15))
def test_merging_loses_nothing(kinds: list[str]) -> None:
    events: list[Event] = []
    for place, kind in enumerate(kinds):
        index = kinds[:place].count(kind)
        match kind:
            case "token":
                events.append(ev.Token(content=f"{index} ", index=index))
            case "thinking":
                events.append(ev.Thinking(content="t", index=index))
            case _:
                events.append(ev.Step(stop_reason="x"))
    whole = sealed(batch(*events))
    shown = list(merge(whole))
    assert str(fold_all([data for *_, data in shown]).text) == str(
        fold_all([data for *_, data in whole]).text
    )
    assert [entry for entry in shown if entry[1] != "token"] == [
        entry for entry in whole if entry[1] != "token"
    ]
    assert [seq for seq, *_ in shown] == sorted({seq for seq, *_ in shown})
