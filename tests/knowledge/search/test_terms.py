"""`knowledge.search.terms`."""

from knowledge.search.terms import MAX_TERMS, terms_of


def test_it_works():
    terms = terms_of("What is the Refund for a Waschmaschine?")
    assert terms.words == ["refund", "waschmaschine"]
    assert terms.parts == ["refun", "waschmaschi"]


def test_what_is_written_without_spaces_is_looked_for_in_pieces():
    assert terms_of("几个工作日?").parts == ["几个工", "个工作", "工作日"]


def test_a_question_of_stop_words_keeps_them():
    assert terms_of("To be or not to be").words == ["to", "be", "or", "not"]


def test_the_terms_are_bounded():
    terms = terms_of(" ".join(f"word{number}" for number in range(1000)))
    assert len(terms.words) == MAX_TERMS


def test_signs_are_no_terms():
    assert terms_of('"(* -- %_\0 \ud800') == ([], [])
