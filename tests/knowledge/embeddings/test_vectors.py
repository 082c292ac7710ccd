"""`knowledge.embeddings.vectors`."""

import math

import pytest

from knowledge.embeddings.vectors import MAX_DIMENSIONS, cosine, distance, vector


def test_it_works():
    one, other = vector([3.0, 4.0, 0.0]), vector([3.0, -4.0, 0.0])
    assert cosine(one.values, one.values) == pytest.approx(1)
    assert cosine(one.values, other.values) == pytest.approx((9 - 16) / 25)
    assert (len(one.values), one.signs, other.signs) == (12, b"\x06", b"\x04")
    assert distance(one.signs, other.signs) == 1


@pytest.mark.parametrize(
    "numbers", [[], [0.0, 0.0], [math.nan], [math.inf, 1.0], [1.0] * (MAX_DIMENSIONS + 1)]
)
def test_what_has_no_direction_is_no_vector(numbers):
    with pytest.raises(ValueError, match="direction"):
        vector(numbers)
