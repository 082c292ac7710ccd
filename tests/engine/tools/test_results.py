"""`engine.tools.results`: results as the log and the model take them."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.request import NOTHING, result_block
from engine.tools.results import bounded


@pytest.mark.parametrize("result", ["text", "", None, 1, [1, {"a": "é"}], {"sum": 5}])
def test_it_works(result: Any) -> None:
    assert bounded(result, 1000) == result


def test_what_no_database_takes_is_replaced() -> None:
    assert bounded({"a\0": ["\ud83d"]}, 1000) == {"a\ufffd": ["\ufffd"]}


@given(st.text(max_size=300), st.integers(80, 400))
def test_a_long_text_is_cut_with_a_note(text: str, most: int) -> None:
    found = bounded(text, most)
    assert len(msgspec.json.encode(found)) <= most
    if len(msgspec.json.encode(text)) > most:
        assert "was cut here" in found


def test_control_characters_count_as_they_are_written() -> None:
    found = bounded("\x01" * 1000 + "a" * 100_000, 2000)
    assert len(msgspec.json.encode(found)) <= 2000


def test_a_large_value_becomes_a_text() -> None:
    found = bounded([{"name": "x" * 50}] * 100, 1000)
    assert isinstance(found, str) and found.startswith('[{"name":"xxx')
    assert len(found) > 900


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_what_is_no_json_is_refused() -> None:
    for result in (object(), {(1, 2): 3}, nested(150), nested(100_000)):
        with pytest.raises(ValueError, match="no JSON"):
            bounded(result, 1000)


def test_a_block_holds_text() -> None:
    assert result_block("a", {"é": 1}, is_error=False) == {
        "type": "tool_result",
        "tool_use_id": "a",
        "content": '{"é":1}',
    }
    assert result_block("a", "", is_error=True) == {
        "type": "tool_result",
        "tool_use_id": "a",
        "content": NOTHING,
        "is_error": True,
    }
