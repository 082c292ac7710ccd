"""`engine.ids`: random names."""

from collections import Counter

import pytest

from engine.ids import ALPHABET, base62, joined, new_id


def test_an_id_names_its_kind():
    kind, _, name = new_id("run").partition("_")
    assert (kind, len(name)) == ("run", 22)
    assert set(name) <= set(ALPHABET)


@pytest.mark.parametrize("length", [0, 1, 22, 1000])
def test_it_is_as_long_as_asked(length):
    assert len(base62(length)) == length


def test_every_character_is_as_likely():
    """Of 62,000: 1,000 each, give or take six standard deviations."""
    counts = Counter(base62(62_000))
    assert set(counts) == set(ALPHABET)
    assert all(abs(count - 1000) < 6 * 1000**0.5 for count in counts.values())


def test_a_name_of_parts_is_the_name_of_no_other_parts() -> None:
    lists = [
        *(
            ["a", "b", "c"],
            ["a", "b:c"],
            ["a:b", "c"],
            ["a:b:c"],
            ["a", "b%3Ac"],
            ["a", "b", "", "c"],
        ),
        *(["visitor", "user:x", "day"], ["visitor", "user:x:day"], ["%"], ["%25"], [""], ["", ""]),
    ]
    assert len({joined(*parts) for parts in lists}) == len(lists)
    assert joined("socket", "agt_1") == "socket:agt_1"
