"""`knowledge.search.terms`."""

from knowledge.search.terms import MAX_TERMS, folded, parts_of, terms_of


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


def test_accents_and_case_are_folded():
    assert (
        folded("Rückerstattung STRASSE Straße Çà 한글") == "ruckerstattung strasse strasse ca 한글"
    )


def test_the_parts_of_a_text_are_the_endings_of_its_words():
    assert sorted(parts_of("Rückgabe? rückgabe!")) == [
        "ckgabe",
        "gabe",
        "kgabe",
        "ruckgabe",
        "uckgabe",
    ]
    assert sorted(parts_of("五个工作")) == ["个工作", "五个工"]
    assert max(map(len, parts_of("Donaudampfschifffahrtsgesellschaft"))) == 16
