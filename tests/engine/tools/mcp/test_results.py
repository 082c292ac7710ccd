"""`engine.tools.mcp.results`: what the model gets of a result."""

from typing import Any

import pytest

from engine.tools.mcp.results import plain_result

LINK = {"type": "resource_link", "uri": "file:///a.txt", "name": "a"}
TEXT = {"type": "text", "text": "hello"}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"content": [TEXT, TEXT]}, "hello\nhello"),
        ({"content": []}, ""),
        ({}, ""),
        ({"content": [TEXT, LINK]}, {"content": [TEXT, LINK]}),
        ({"content": [], "structuredContent": {"a": 1}}, {"a": 1}),
        (
            {"content": [{"type": "text", "text": '{"a": 1}'}], "structuredContent": {"a": 1}},
            {"a": 1},
        ),
        (
            {"content": [TEXT], "structuredContent": {"a": 1}},
            {"content": [TEXT], "structuredContent": {"a": 1}},
        ),
        ({"content": [TEXT], "structuredContent": {"result": "hello"}}, "hello"),
        ({"content": [TEXT | {"annotations": {"priority": 1}, "_meta": {}}]}, "hello"),
    ],
)
def test_it_works(result: dict[str, Any], expected: Any) -> None:
    assert plain_result(result) == expected


@pytest.mark.parametrize("kind", ["image", "audio"])
def test_bytes_are_counted_and_left_out(kind: str) -> None:
    block = {"type": kind, "mimeType": f"{kind}/x", "data": "AAAA" * 10}
    kept = {"type": kind, "mimeType": f"{kind}/x", "bytes": 30}
    assert plain_result({"content": [block]}) == {"content": [kept]}


def test_a_file_within_is_counted_and_a_text_within_is_kept() -> None:
    blob = {"type": "resource", "resource": {"uri": "a:b", "blob": "AAAA"}}
    text = {"type": "resource", "resource": {"uri": "a:c", "text": "words"}}
    counted = {"type": "resource", "resource": {"uri": "a:b", "bytes": 3}}
    assert plain_result({"content": [blob, text]}) == {"content": [counted, text]}
