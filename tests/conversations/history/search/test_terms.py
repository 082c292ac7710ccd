"""`conversations.history.search.terms`: the terms of a search."""

import pytest

from conversations.history.search.terms import MAX_LENGTH, MAX_TERMS, Terms, terms_of


@pytest.mark.parametrize(
    ("q", "wanted"),
    [
        ("Refund of 50%", Terms(["of", "50"], ["refund"], [])),
        ("Rückerstattung ÉCOLE", Terms([], ["ruckerstattung", "ecole"], [])),
        ("退款abc and 退款", Terms([], ["abc", "and"], ["退款"])),
        ("order_id:a/b", Terms(["id", "a", "b"], ["order"], [])),
        ("'\"*-():!&|<", Terms([], [], [])),
        ("the the The", Terms([], ["the"], [])),
    ],
)
def test_they_are_letters_and_digits(q, wanted):
    assert terms_of(q) == wanted


def test_they_are_few_and_short():
    terms = terms_of(" ".join(f"word{number}" for number in range(50)) + " " + "x" * 500)
    assert len(terms.beginnings) == MAX_TERMS
    assert terms_of("x" * 500).beginnings == ["x" * MAX_LENGTH]
    assert terms_of("退" * 500).parts == ["退" * MAX_LENGTH]
