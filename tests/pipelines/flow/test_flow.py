"""`pipelines.flow`: what is on its way is accounted for, at any moment and after any checkpoint."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.flow import flow as module
from pipelines.flow.flow import Flow, Snapshot
from pipelines.flow.metrics import Counters
from pipelines.graph.items import Item
from tests.pipelines.graph.samples import NOW, stage

STAGES = [
    stage("filter", field="n", operator="gt", value=0),
    stage("map", expression={"n": "n / 1", "timestamp": "timestamp"}),
    stage(
        "window",
        type="tumbling",
        size=100,
        aggregations=[{"field": "n", "function": "sum", "alias": "n"}],
    ),
]
# What is done: an item comes (its number, its time), or a destination takes or refuses one.
MOVES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["bad", 0, 1, 2]), st.integers(0, 2000)),
        st.sampled_from(["take 0", "take 1", "refuse 0", "refuse 1", "restart"]),
    ),
    max_size=60,
)


def balanced(flow):
    found = flow.counters
    done = found.delivered + found.filtered + found.failed + found.late
    return found.received == done + flow.in_flight()


def restarted(flow):
    kept = msgspec.json.decode(msgspec.json.encode(flow.snapshot()), type=Snapshot)
    again = Flow("pipe_1", STAGES, 2, drop=False)
    again.restore(kept, flow.counters)
    return again


@given(moves=MOVES)
def test_it_works(moves):
    flow = Flow("pipe_1", STAGES, 2, drop=False)
    for number, move in enumerate(moves):
        if move == "restart":
            flow = restarted(flow)
        elif isinstance(move, str):
            what, destination = move.split()
            output = flow.head(int(destination))
            if output is not None and what == "take":
                flow.delivered(output, int(destination))
            elif output is not None:
                flow.rejected(output, int(destination), "No.")
        else:
            data = {"n": move[0], "timestamp": NOW + move[1]}
            flow.take([Item(f"itm_{number}", data, NOW)], "inbox", number)
        assert balanced(flow)
    flow.flush()
    for destination in (0, 1):
        while (output := flow.head(destination)) is not None:
            flow.delivered(output, destination)
    assert flow.empty
    assert flow.in_flight() == 0
    assert balanced(flow)


def test_a_failure_that_is_tried_again_is_no_failure_any_more():
    flow = Flow("pipe_1", [], 2, drop=False)
    flow.take([Item("itm_1", {}, NOW)], "inbox", 1)
    for destination in (0, 1):
        flow.rejected(flow.head(destination), destination, "No.")
    assert (flow.counters.failed, len(flow.failures)) == (1, 2)
    for failure in flow.failures:
        flow.retry(failure)
    assert (flow.counters.failed, flow.in_flight()) == (0, 1)
    for destination in (0, 1):
        flow.delivered(flow.head(destination), destination)
    assert (flow.counters.delivered, flow.empty) == (1, True)


@pytest.mark.parametrize("bound", ["MAX_WAITING", "MAX_WAITING_BYTES"])
def test_there_is_no_room_while_the_destinations_have_too_much(monkeypatch, bound):
    monkeypatch.setattr(module, bound, 2)
    flow = Flow("pipe_1", [], 1, drop=False)
    assert (flow.room, flow.pressure) == (True, 0)
    flow.take([Item("itm_1", {}, NOW), Item("itm_2", {}, NOW)], "inbox", 2)
    assert (flow.room, flow.pressure) == (False, 1)


def test_another_version_lets_go_what_the_old_stages_held():
    flow = Flow("pipe_1", STAGES, 1, drop=False)
    flow.take([Item("itm_1", {"n": 4, "timestamp": NOW}, NOW)], "inbox", 1)
    later = Flow("pipe_1", [], 1, drop=False)
    later.restore(flow.snapshot(), Counters(received=1))
    assert later.head(0).item.data["n"] == 4


def test_what_fails_is_not_kept_if_it_is_to_be_dropped():
    flow = Flow("pipe_1", STAGES, 1, drop=True)
    flow.take([Item("itm_1", {"n": 4, "timestamp": "never"}, NOW)], "inbox", 1)
    flow.flush()
    flow.rejected(flow.head(0), 0, "No.")
    assert (flow.counters.failed, flow.failures) == (1, [])
