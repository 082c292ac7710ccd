"""`knowledge.search.fusion`."""

from knowledge.search.fusion import fuse


def test_it_works():
    assert [id_ for id_, _ in fuse([[1, 2, 3], [3, 1]])] == [1, 3, 2]


def test_no_rankings_are_no_ranking():
    assert fuse([]) == fuse([[], []]) == []


def test_the_first_place_counts_one_sixty_first():
    assert fuse([[7]]) == [(7, 1 / 61)]
