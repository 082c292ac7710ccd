"""`core.chunks`: no statement gets more values than a database takes."""

import pytest

from core.chunks import MAX_VARIABLES, chunks


def test_it_works():
    assert [list(chunk) for chunk in chunks(range(5), MAX_VARIABLES // 2)] == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize("width", [1, 2, 7, 27, MAX_VARIABLES, MAX_VARIABLES + 1])
@pytest.mark.parametrize("count", [0, 1, 998, 999, 1000, 5000])
def test_every_item_comes_once_and_no_piece_is_too_large(width, count):
    pieces = list(chunks(range(count), width))

    assert [item for piece in pieces for item in piece] == list(range(count))
    assert all(len(piece) * width <= MAX_VARIABLES or len(piece) == 1 for piece in pieces)
