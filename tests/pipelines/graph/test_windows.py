"""`pipelines.graph.windows`: against a plain computation over the whole list, and late items."""

from collections import defaultdict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.graph.chain import Chain
from pipelines.graph.items import Tally
from pipelines.graph.stages import StageProblem
from tests.pipelines.graph.samples import NOW, item, run, stage

BEGIN = NOW - 100_000
ROWS = st.lists(
    st.tuples(st.integers(0, 9_000), st.integers(-5, 5), st.sampled_from("ab")), max_size=40
)
ALL = [{"field": "cost", "function": name} for name in ("sum", "avg", "min", "max", "count")]


def window(**config):
    return stage("window", **{"groupBy": ["agent"], "aggregations": ALL, **config})


def items_of(rows):
    return [
        item(number, BEGIN + at, cost=cost, agent=agent)
        for number, (at, cost, agent) in enumerate(rows)
    ]


def plain(values):
    return {
        "sum_cost": sum(values),
        "avg_cost": sum(values) / len(values),
        "min_cost": min(values),
        "max_cost": max(values),
        "count_cost": len(values),
    }


def test_it_works():
    rows = [(0, 1, "a"), (999, 2, "a"), (1000, 4, "a")]
    found = run([window(type="tumbling", size=1000)], items_of(rows))
    assert [(each["windowStart"] - BEGIN, each["sum_cost"]) for each in found] == [
        (0, 3),
        (1000, 4),
    ]
    assert found[0]["windowEnd"] - found[0]["windowStart"] == 1000
    assert found[0]["agent"] == "a"


@given(rows=ROWS, slide=st.sampled_from([500, 1000, 2000]))
def test_windows_are_those_of_the_whole_list(rows, slide):
    """With enough lateness the order of the items does not matter."""
    size = 2000
    expected = defaultdict(list)
    for at, cost, agent in rows:
        for start in range(BEGIN - size, BEGIN + 10_000, slide):
            if start <= BEGIN + at < start + size:
                expected[start, agent].append(cost)
    config = window(type="sliding", size=size, slide=slide, allowedLatenessMs=20_000)
    found = {
        (each.pop("windowStart"), each.pop("agent")): each for each in run([config], items_of(rows))
    }
    for each in found.values():
        each.pop("windowEnd")
    assert found == {key: plain(values) for key, values in expected.items()}


@given(rows=ROWS, lateness=st.sampled_from([0, 300, 2000]))
def test_an_item_is_late_when_its_window_is_closed_and_is_never_lost(rows, lateness):
    expected, late, watermark = defaultdict(int), 0, 0
    for at, _, _ in rows:
        start = at - at % 1000
        if start + 1000 + lateness <= watermark:
            late += 1
        else:
            expected[BEGIN + start] += 1
            watermark = max(watermark, at)
    tally, counted = Tally(), [{"field": "*", "function": "count", "alias": "n"}]
    config = window(
        type="tumbling", size=1000, groupBy=[], aggregations=counted, allowedLatenessMs=lateness
    )
    found = run([config], items_of(rows), tally)
    assert {each["windowStart"]: each["n"] for each in found} == expected
    assert len(tally.late) == late


def test_a_window_closes_by_the_wall_clock_when_nothing_comes():
    chain, tally = Chain([window(type="tumbling", size=1000, idleMs=5000)], "p"), Tally()
    assert chain.take(items_of([(0, 1, "a")]), NOW, tally) == []
    assert chain.tick(NOW + 4999, tally) == []
    assert [each.data["sum_cost"] for each in chain.tick(NOW + 5000, tally)] == [1]


def test_a_window_of_a_day_stays_open_while_the_day_lasts():
    chain, tally = Chain([window(type="tumbling", size=86_400_000)], "p"), Tally()
    chain.take([item(1, NOW, cost=1, agent="a")], NOW, tally)
    assert chain.tick(NOW + 3_600_000, tally) == []
    assert len(chain.tick(NOW + 86_400_000, tally)) == 1


def test_an_item_of_the_future_makes_no_other_late():
    tally = Tally()
    items = [item(1, NOW + 10**10, cost=1, agent="a"), item(2, NOW, cost=2, agent="a")]
    found = run([window(type="tumbling", size=1000, allowedLatenessMs=60_000)], items, tally)
    assert (len(found), tally.late) == (2, [])


def test_the_id_of_a_window_is_the_same_after_a_restart_and_another_for_another_pipeline():
    ids = []
    for scope in ("p", "p", "q"):
        chain, tally = Chain([window(type="tumbling", size=1000)], scope), Tally()
        chain.take(items_of([(0, 1, "a")]), NOW, tally)
        ids.append(chain.flush(NOW, tally)[0].id)
    assert ids[0] == ids[1] != ids[2]


def test_the_time_is_what_the_field_says_and_an_item_without_it_fails():
    tally = Tally()
    items = [item(1, when="2026-11-30T10:00:00.500Z", cost=1), item(2, cost=1)]
    found = run([window(type="tumbling", size=1000, timeField="when")], items, tally)
    assert found[0]["windowStart"] == 1796032800000
    assert [each.reason for each in tally.failed] == ["There is no time in “when”."]


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"type": "tumbling"}, "config.size"),
        ({"type": "session", "size": 10}, "config.gap"),
        ({"type": "sliding", "size": 10}, "config.slide"),
        ({"type": "sliding", "size": 10, "slide": 20}, "config.slide"),
        ({"type": "sliding", "size": 10_000, "slide": 1}, "config.slide"),
        (
            {"type": "tumbling", "size": 1, "aggregations": [{"field": "*", "function": "sum"}]},
            "config.aggregations[0].field",
        ),
    ],
)
def test_a_window_that_cannot_be_is_refused_at_its_place(config, field):
    with pytest.raises(StageProblem) as caught:
        window(**config)
    assert caught.value.place == field


def test_a_size_of_nothing_is_refused():
    with pytest.raises(msgspec.ValidationError, match="size"):
        window(type="tumbling", size=0)
