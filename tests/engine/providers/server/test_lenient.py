"""The second reader by itself; `test_openai_lenient` and its sibling have whole streams."""

import json
from typing import Any

import msgspec
import pytest

from engine.providers.server.lenient import (
    MAX_DEPTH,
    Speech,
    arguments_of,
    count_of,
    name_of,
    object_of,
    read_json,
    text_of,
)

VALUES: dict[bytes, list[Any]] = {
    b'{"a": 1}': [{"a": 1}],
    b' \xef\xbb\xbf{"a": 1}\0\n': [{"a": 1}],
    b'{"a": 1}\n{"b": 2} [DONE]': [{"a": 1}, {"b": 2}, "[DONE]"],
    b"[done]": ["[DONE]"],
    b'"[DONE]"': ["[DONE]"],
    b"null": [None],
    b'{"a": "\xf0\x9f"}': [{"a": "\udcf0\udc9f"}],
    b'{"a": "x\ny\x01"}': [{"a": "x\ny\x01"}],
    b'{"a": ' + b"9" * 5000 + b"}": [{"a": float("inf")}],
    b"ping": [],
    b": ping": [],
    b"[1": [],
    b"<html>": [],
    b"": [],
}


@pytest.mark.parametrize("data", VALUES, ids=repr)
def test_values_are_read_one_after_the_other(data: bytes) -> None:
    assert list(read_json(data)) == VALUES[data]


@pytest.mark.parametrize("data", [b"{", b'{"a": 1', b'x{"a": 1}', b"[{}", b'{"a": 1}{'])
def test_what_may_hold_text_and_cannot_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        list(read_json(data))


@pytest.mark.parametrize("depth", [MAX_DEPTH + 2, 3000, 200_000])
def test_what_is_nested_too_deeply_is_refused(depth: int) -> None:
    with pytest.raises(msgspec.DecodeError):
        list(read_json(b'{"a":' * depth + b"1" + b"}" * depth))


TEXTS: list[tuple[Any, str]] = [
    ("a", "a"),
    (5, "5"),
    (0.5, "0.5"),
    (None, ""),
    (True, ""),
    ({}, ""),
    ([], ""),
    (["a", None, {"text": "b"}], "ab"),
    ({"type": "text", "text": "a"}, "a"),
    ({"type": "output_text", "text": {"value": "a"}}, "a"),
    ({"type": "future", "content": ["a"]}, "a"),
    ({"text": None, "content": "a"}, "a"),
    ({"parts": [{"text": "a"}, {"text": "b"}]}, "ab"),
    ({"type": "image_url", "image_url": {"url": "x"}}, ""),
    ({"type": "tool_result", "content": "x"}, ""),
]


@pytest.mark.parametrize(("value", "text"), TEXTS, ids=repr)
def test_a_text_may_stand_in_anything(value: Any, text: str) -> None:
    said = Speech(value)
    assert (said.text, said.thinking, said.refusal) == (text, "", "")


THOUGHTS: list[Any] = [
    {"type": "thinking", "thinking": "hm"},
    {"type": "thinking", "thinking": [{"type": "text", "text": "h"}, "m"]},
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
    {"type": "Reasoning", "text": "hm"},
    {"thinking": "hm"},
    {"text": "hm", "thought": True},
]


@pytest.mark.parametrize("value", THOUGHTS, ids=repr)
def test_thinking_is_told_from_text(value: Any) -> None:
    said = Speech([value, "a"])
    assert (said.text, said.thinking) == ("a", "hm")
    assert text_of(value) == "hm"


@pytest.mark.parametrize("value", [{"type": "refusal", "refusal": "no"}, {"refusal": "no"}])
def test_a_refusal_is_told_from_text(value: Any) -> None:
    assert Speech(value).refusal == "no"


@pytest.mark.parametrize(("value", "count"), [(5, 5), (5.0, 5), ("5", 5), (" 5.0 ", 5), (0, 0)])
def test_a_count_may_be_written_in_several_ways(value: Any, count: int) -> None:
    assert count_of(value) == count


@pytest.mark.parametrize("value", [None, True, "", "x", [], {}, -1, 2**31, float("nan"), "inf"])
def test_what_is_no_count_is_none(value: Any) -> None:
    assert count_of(value) is None


def test_names_and_objects_can_be_stored() -> None:
    assert [name_of(value) for value in ("a\0", 5, "", None, [])] == [
        "a\ufffd",
        "5",
        None,
        None,
        None,
    ]
    assert object_of({"a\0": ["\ud83d"]}) == {"a\ufffd": ["\ufffd"]}
    assert object_of([1]) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, None), ("{", "{"), ([], ""), (["{", {"text": "}"}], "{}"), ({"a": "ü"}, '{"a": "ü"}')],
)
def test_arguments_are_a_text(value: Any, text: str | None) -> None:
    assert arguments_of(value) == text
    json.dumps(arguments_of(value))
