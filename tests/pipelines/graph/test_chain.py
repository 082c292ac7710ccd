"""`pipelines.graph`: all kinds of stage together, and cut by checkpoints at any place."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.graph.chain import Chain
from pipelines.graph.items import Tally
from tests.pipelines.graph.samples import NOW, item, run, stage

CHAINS = {
    "tumbling": [
        stage("filter", field="cost", operator="gte", value=2),
        stage("map", expression={"agent": "agent", "cost": "cost * 2", "timestamp": "timestamp"}),
        stage(
            "window",
            type="tumbling",
            size=1000,
            groupBy=["agent"],
            aggregations=[{"field": "cost", "function": "sum"}],
        ),
        stage("batch", size=3, timeout=5000),
    ],
    "sliding": [
        stage(
            "window",
            type="sliding",
            size=3000,
            slide=1000,
            aggregations=[{"field": "cost", "function": "avg"}],
        )
    ],
    "session": [
        stage(
            "window",
            type="session",
            gap=700,
            groupBy=["agent"],
            aggregations=[{"field": "cost", "function": "max"}],
        )
    ],
    "aggregate": [
        stage(
            "aggregate", groupBy=["agent"], aggregations=[{"field": "cost", "function": "count"}]
        ),
        stage("batch", size=4),
    ],
}
INPUT = st.lists(
    st.tuples(st.integers(0, 20_000), st.integers(0, 9), st.sampled_from("ab")), max_size=40
)


def items_of(rows):
    return [
        item(number, NOW - 20_000 + at, cost=cost, agent=agent)
        for number, (at, cost, agent) in enumerate(rows)
    ]


def test_it_works():
    found = run(CHAINS["tumbling"], items_of([(0, 1, "a"), (1, 2, "a"), (2, 3, "a")]))
    assert [each["sum_cost"] for each in found[0]["items"]] == [10]


@pytest.mark.parametrize("name", CHAINS)
@given(rows=INPUT, cuts=st.sets(st.integers(0, 40), max_size=5))
def test_any_split_by_checkpoints_gives_the_same(name, rows, cuts):
    items, whole, cut = items_of(rows), Tally(), Tally()
    chain = Chain(CHAINS[name], "pipe_1")
    expected = chain.take(items, NOW, whole) + chain.flush(NOW, whole)
    chain, found = Chain(CHAINS[name], "pipe_1"), []
    for number, each in enumerate(items):
        if number in cuts:
            stored = msgspec.json.decode(msgspec.json.encode(chain.state()))
            chain = Chain(CHAINS[name], "pipe_1")
            chain.restore(stored)
        found += chain.take([each], NOW, cut)
    assert found + chain.flush(NOW, cut) == expected
    assert (cut.filtered, cut.late) == (whole.filtered, whole.late)


@pytest.mark.parametrize("name", CHAINS)
@given(rows=INPUT)
def test_each_item_is_accounted_for_once(name, rows):
    items, tally, chain = items_of(rows), Tally(), Chain(CHAINS[name], "pipe_1")
    for number, each in enumerate(items):
        out = chain.take([each], NOW, tally)
        items[number].weight = sum(one.weight for one in out)
    done = sum(each.weight for each in items) + tally.filtered + len(tally.late)
    assert done + chain.held() == len(rows)


def test_an_item_that_a_stage_cannot_take_does_not_stop_the_others():
    tally = Tally()
    stages = [stage("map", expression={"half": "cost / 2"})]
    found = run(stages, [item(1, cost="x"), item(2, cost=3)], tally)
    assert found == [{"half": 1.5}]
    assert [(each.item.id, each.stage) for each in tally.failed] == [("itm_1", 0)]
    assert "cost / 2" in tally.failed[0].reason


def test_a_trace_shows_what_each_stage_makes():
    chain = Chain(CHAINS["tumbling"], "pipe_1")
    stages = chain.trace(items_of([(0, 1, "a"), (1, 5, "b")]), NOW, Tally())
    assert [len(each) for each in stages] == [1, 1, 1, 1]
    assert stages[1][0].data["cost"] == 10
