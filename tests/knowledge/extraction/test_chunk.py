"""`knowledge.extraction.chunk`."""

from hypothesis import given
from hypothesis import strategies as st

from knowledge.extraction.block import Block
from knowledge.extraction.chunk import BETWEEN, MOST, passages

blocks_of = st.lists(
    st.builds(Block, st.text(min_size=1, max_size=3000), st.integers(0, 3), st.just(None)),
    max_size=8,
)


def test_it_works():
    blocks = [Block("Title", 1), Block("One."), Block("Two."), Block("Sub", 2), Block("Three.")]
    first, second = passages(blocks)
    assert (first.text, first.headings, first.start) == ("One.\n\nTwo.", ["Title"], 7)
    assert (second.text, second.headings) == ("Three.", ["Title", "Sub"])


def test_a_passage_does_not_reach_over_a_page():
    one, two = passages([Block("One.", page=1), Block("Two.", page=2)])
    assert (one.page, two.page) == (1, 2)


def test_a_long_paragraph_is_cut_between_sentences():
    found = list(passages([Block("This is a sentence. " * 200)]))
    assert all(passage.text.rstrip().endswith(".") for passage in found)


@given(blocks_of)
def test_a_passage_is_its_range_and_nothing_is_lost(blocks):
    whole = BETWEEN.join(block.text for block in blocks)
    found = list(passages(blocks))
    assert all(passage.text == whole[passage.start : passage.end] for passage in found)
    assert all(len(passage.text) <= MOST + len(BETWEEN) for passage in found)
    covered = {place for passage in found for place in range(passage.start, passage.end)}
    offset = 0
    for block in blocks:
        if not block.level or len(block.text) > 200:
            assert set(range(offset, offset + len(block.text))) <= covered
        offset += len(block.text) + len(BETWEEN)
