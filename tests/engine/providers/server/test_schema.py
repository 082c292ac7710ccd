"""`engine.providers.server.schema`: what public MCP servers list, and model servers refuse."""

from typing import Any

import pytest

from engine.providers.server.schema import accepted
from engine.tools.schema import fits

BY_ID = {"properties": {"id": {"type": "integer"}}, "required": ["id", "kind"]}
BY_NAME = {"properties": {"name": {"type": "string"}}, "required": ["name", "kind"]}
KIND = {"kind": {"type": "string"}}


def test_a_usual_one_stays_as_it_is() -> None:
    usual = {"type": "object", "properties": KIND, "additionalProperties": False}
    assert accepted(usual) is usual


@pytest.mark.parametrize("schema", [{"type": "object"}, {}, {"type": "object", "properties": None}])
def test_one_without_properties_has_none(schema: dict[str, Any]) -> None:
    assert accepted(schema) == {"type": "object", "properties": {}}


@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
def test_of_alternatives_what_all_require_is_required(keyword: str) -> None:
    schema = {"type": "object", "properties": KIND, keyword: [BY_ID, BY_NAME]}
    taken = accepted(schema)
    assert keyword not in taken
    assert taken["properties"] == KIND | BY_ID["properties"] | BY_NAME["properties"]
    assert taken["required"] == ["kind"]
    for value in ({"kind": "a", "id": 1}, {"kind": "a", "name": "x"}):
        assert fits(value, schema) and fits(value, taken)


def test_what_holds_together_is_joined() -> None:
    assert accepted({"allOf": [BY_ID, BY_NAME]})["required"] == ["id", "kind", "name"]


def test_definitions_are_looked_up() -> None:
    for place in ("$defs", "definitions"):
        schema = {"$ref": f"#/{place}/Id", place: {"Id": BY_ID}}
        taken = accepted(schema)
        assert (taken["properties"], "$ref" in taken) == (BY_ID["properties"], False)
        assert accepted({"oneOf": [{"$ref": f"#/{place}/Id"}], place: {"Id": BY_ID}}) == taken


def test_nonsense_and_circles_end() -> None:
    circle: dict[str, Any] = {
        "$ref": "#/$defs/A",
        "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}]}},
    }
    assert accepted(circle)["properties"] == {}
    for schema in (
        {"oneOf": 7},
        {"anyOf": ["x", None]},
        {"$ref": "https://x.example/a"},
        {"required": 1},
    ):
        assert accepted(schema)["properties"] == {}
