"""`pipelines.graph.sessions`: against a plain computation over the whole list."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.graph.items import Tally
from tests.pipelines.graph.samples import NOW, item, run, stage

BEGIN, GAP = NOW - 100_000, 1000
SUM = [{"field": "cost", "function": "sum"}, {"field": "cost", "function": "avg"}]


def session(**config):
    return stage("window", type="session", gap=GAP, aggregations=SUM, **config)


def items_of(rows):
    return [item(number, BEGIN + at, cost=cost) for number, (at, cost) in enumerate(rows)]


def test_it_works():
    found = run([session()], items_of([(0, 1), (900, 2), (2000, 4)]))
    assert [
        (each["windowStart"] - BEGIN, each["windowEnd"] - BEGIN, each["sum_cost"]) for each in found
    ] == [(0, 1900, 3), (2000, 3000, 4)]


@given(rows=st.lists(st.tuples(st.integers(0, 20_000), st.integers(-5, 5)), max_size=30))
def test_sessions_are_those_of_the_sorted_list(rows):
    expected = []
    for at, cost in sorted(rows):
        if expected and at < expected[-1][-1][0] + GAP:
            expected[-1].append((at, cost))
        else:
            expected.append([(at, cost)])
    found = run([session(allowedLatenessMs=50_000)], items_of(rows))
    assert [
        (each["windowStart"], each["windowEnd"], each["sum_cost"], each["avg_cost"])
        for each in found
    ] == [
        (
            BEGIN + part[0][0],
            BEGIN + part[-1][0] + GAP,
            sum(cost for _, cost in part),
            sum(cost for _, cost in part) / len(part),
        )
        for part in expected
    ]


def test_an_item_after_its_session_is_late():
    tally = Tally()
    found = run([session()], items_of([(0, 1), (10_000, 1), (500, 7)]), tally)
    assert (len(found), len(tally.late)) == (2, 1)
