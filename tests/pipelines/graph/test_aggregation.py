"""`pipelines.graph.aggregation`: running totals, and what is no number."""

import pytest

from pipelines.graph import aggregation
from pipelines.graph.items import Tally
from tests.pipelines.graph.samples import item, run, stage

ALL = [
    {"field": "cost", "function": "sum", "alias": "total"},
    {"field": "cost", "function": "avg"},
    {"field": "*", "function": "count", "alias": "n"},
    {"field": "cost", "function": "count"},
]


def test_it_works():
    stages = [stage("aggregate", groupBy=["user.id"], aggregations=ALL)]
    items = [item(1, user={"id": 7}, cost=1), item(2, user={"id": 7}, cost="?"), item(3, cost=5)]
    assert run(stages, items) == [
        {"id": 7, "total": 1, "avg_cost": 1.0, "n": 1, "count_cost": 1},
        {"id": 7, "total": 1, "avg_cost": 1.0, "n": 2, "count_cost": 2},
        {"id": None, "total": 5, "avg_cost": 5.0, "n": 1, "count_cost": 1},
    ]


def test_there_is_no_average_of_nothing():
    assert run([stage("aggregate", aggregations=ALL)], [item(1)]) == [
        {"total": 0, "avg_cost": None, "n": 1, "count_cost": 0}
    ]


@pytest.mark.parametrize(("function", "values"), [("min", [3, 1, 1]), ("max", [3, 3, 4])])
def test_the_least_and_the_greatest(function, values):
    stages = [stage("aggregate", aggregations=[{"field": "cost", "function": function}])]
    items = [item(number, cost=cost) for number, cost in enumerate((3, 1, 4))]
    assert [each[f"{function}_cost"] for each in run(stages, items)] == values


def test_too_many_groups_fail_and_the_known_ones_go_on(monkeypatch):
    monkeypatch.setattr(aggregation, "MAX_GROUPS", 1)
    tally, stages = Tally(), [stage("aggregate", groupBy=["a"], aggregations=ALL)]
    found = run(stages, [item(1, a=1), item(2, a=2), item(3, a=1)], tally)
    assert (len(found), len(tally.failed)) == (2, 1)
