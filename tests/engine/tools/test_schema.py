"""`engine.tools.schema`: whether a value fits a JSON Schema."""

from typing import Any

import pytest

from engine.tools.schema import contradicts, fits

ROOM = {
    "type": "object",
    "properties": {"room": {"$ref": "#/$defs/Name"}},
    "required": ["room"],
    "additionalProperties": False,
    "$defs": {"Name": {"type": "string"}},
}


def test_it_works() -> None:
    assert fits({"room": "Blue"}, ROOM)
    assert not fits({"room": 1}, ROOM)
    assert not fits({"room": "Blue", "to": "Bob"}, ROOM)


def test_no_schema_is_fetched() -> None:
    for address in ("http://127.0.0.1:1/a.json", "file:///etc/passwd"):
        assert not fits({}, {"$ref": address})


def test_what_is_no_schema_fits_nothing() -> None:
    assert not fits({}, {"type": 7})


CATASTROPHIC = "^(a+)+$"
HOSTILE = "a" * 64 + "!"


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"to": {"pattern": CATASTROPHIC}}},
        {"patternProperties": {CATASTROPHIC: {"type": "integer"}}, "additionalProperties": False},
        {"patternProperties": {CATASTROPHIC: True}, "unevaluatedProperties": False},
        {"propertyNames": {"pattern": CATASTROPHIC}},
    ],
)
def test_no_pattern_searches_for_ever(schema: dict[str, Any]) -> None:
    assert fits({"to": HOSTILE, HOSTILE: "b"}, schema)


def test_a_schema_whose_parts_refer_to_each_other_is_bounded() -> None:
    defs: dict[str, Any] = {
        str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(60)
    }
    assert not fits({}, {"$ref": "#/$defs/0", "$defs": defs | {"60": {"type": "object"}}})
    assert not fits({}, {"$ref": "#"})


def test_unique_items_are_compared_once() -> None:
    many = [item for n in range(20_000) for item in (n, str(n))]
    assert fits(many, {"uniqueItems": True})
    assert not fits([*many, "7"], {"uniqueItems": True})
    assert fits([1, True, "1", [1]], {"uniqueItems": True})


@pytest.mark.parametrize("draft", ["draft-04", "draft-07", "2019-09", "2020-12"])
def test_every_draft_is_known(draft: str) -> None:
    year = "https://json-schema.org/draft" if draft[0] == "2" else "http://json-schema.org"
    schema = {"$schema": f"{year}/{draft}/schema", "type": "object", "required": ["a"]}
    assert fits({"a": 1}, schema) and not fits({}, schema)


def test_what_cannot_be_checked_contradicts_nothing() -> None:
    assert contradicts({"room": 1}, ROOM)
    assert not contradicts({"room": "Blue"}, ROOM)
    for schema in ({"$ref": "http://127.0.0.1:1/a.json"}, {"type": 7}):
        assert not contradicts({}, schema)
