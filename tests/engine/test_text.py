import hashlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text import Joiner, Text, storable


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


PIECES = {
    "two halves": (["a\ud83d", "\ude00b"], "a\U0001f600b"),
    "two halves in one piece": (["\ud83d\ude00"], "\U0001f600"),
    "a low half that looks like a byte": (["\ud83d", "\udc80"], "\U0001f480"),
    "a half without its rest": (["\ud83d", "x"], "\ufffdx"),
    "a half at the end": (["x\ud83d"], "x\ufffd"),
    "a rest without its half": (["\ude00x"], "\ufffdx"),
    "bytes of one character": (["\udcf0\udc9f", "\udc98\udc80!"], "\U0001f600!"),
    "one byte at a time": (["\udcf0", "\udc9f", "\udc98", "\udc80"], "\U0001f600"),
    "bytes without their rest": (["\udcf0\udc9f", "é"], "\ufffdé"),
    "bytes that are none": (["\udcff\udcfe"], "\ufffd\ufffd"),
    "nothing odd": (["a", "", "é\0"], "aé\0"),
}


@pytest.mark.parametrize("case", PIECES)
def test_characters_that_are_cut_are_joined(case: str) -> None:
    pieces, text = PIECES[case]
    joiner = Joiner()
    assert "".join([*map(joiner.join, pieces), joiner.end()]) == text


@given(st.lists(st.text(st.sampled_from("a\u00e9\U0001f600\ud83d\ude00\udcf0\udc9f")), max_size=6))
def test_joined_pieces_can_always_be_stored(pieces: list[str]) -> None:
    joiner = Joiner()
    "".join([*map(joiner.join, pieces), joiner.end()]).encode()
    storable("".join(pieces)).encode()


def test_what_no_database_stores_is_replaced() -> None:
    assert storable("a\0b\ud83dc\ud83d\ude00") == "a\ufffdb\ufffdc\U0001f600"
