import hashlib
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from engine.text import Text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=20))
def test_text_is_what_was_added(pieces: list[str]) -> None:
    text = Text()
    for piece in pieces:
        text.add(piece)
    assert str(text) == "".join(pieces)
    whole = "".join(pieces).encode()
    assert text.size == len(whole)
    assert text.digest() == f"sha256:{hashlib.sha256(whole).hexdigest()}"


def test_it_takes_little_more_memory_than_its_bytes() -> None:
    text = Text()
    tracemalloc.start()
    for index in range(5000):
        text.add(f"token{index} ")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 2 * text.size
