"""`metering.histograms`: quantiles that add up."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.histograms import GROWTH, LARGEST, Histogram, add, bucket_of, quantile


def histogram(values: list[float]) -> Histogram:
    return dict(Counter(map(bucket_of, values)))


def test_it_works() -> None:
    found = histogram([*range(1, 101)])
    assert quantile(found, 0.5) == pytest.approx(50, rel=0.05)
    assert quantile(found, 0.95) == pytest.approx(95, rel=0.05)


def test_nothing_has_no_quantile() -> None:
    assert quantile({}, 0.5) is None


@given(st.lists(st.floats(2, 1e7), min_size=1), st.sampled_from([0.5, 0.95]))
def test_it_is_wrong_by_five_per_cent_at_most(values: list[float], part: float) -> None:
    exact = sorted(values)[max(0, -(-len(values) * part // 1).__int__() - 1)]
    assert quantile(histogram(values), part) == pytest.approx(exact, rel=0.0501)


@given(st.lists(st.floats(0, 1e12)), st.lists(st.floats(0, 1e12)))
def test_the_sum_is_the_histogram_of_all(some: list[float], others: list[float]) -> None:
    found = histogram(some)
    add(found, histogram(others))
    assert found == histogram(some + others)


def test_small_and_large_values_have_a_place() -> None:
    assert [bucket_of(value) for value in (-1, 0, 1)] == [0, 0, 0]
    assert bucket_of(1e300) == LARGEST
    assert quantile({0: 1}, 0.5) == 1
    assert GROWTH**LARGEST > 8e9
