"""The JSON Schema of a tool's arguments as model servers take it. Both families refuse alternatives
at its top, and servers of OpenAI's API want `properties`: otherwise the whole request fails."""

from typing import Any, TypeAlias

ALTERNATIVES = ("allOf", "anyOf", "oneOf")
REFUSED = frozenset({*ALTERNATIVES, "$ref", "enum", "not"})
"""Keywords that may not stand at the top. The tool itself checks what they say."""
DEFINITIONS = ("#/$defs/", "#/definitions/")

MAX_DEPTH = 5
"""Alternatives within one another; those further down are left to the tool."""

Schema: TypeAlias = dict[str, Any]


def accepted(schema: Schema) -> Schema:
    """A schema that everything fits which fits this one, without keywords that are refused: the
    properties of all alternatives are its own, and those that all of them require are required."""
    if isinstance(schema.get("properties"), dict) and not REFUSED & schema.keys():
        return schema
    plain = {name: value for name, value in schema.items() if name not in REFUSED}
    properties, required = _parts(schema, schema, depth=0)
    plain |= {"type": "object", "properties": properties}
    return plain | ({"required": sorted(required)} if required else {})


def _parts(schema: Schema, whole: Schema, depth: int) -> tuple[Schema, set[str]]:
    """The properties that a value may have by this schema, and those that it must have."""
    own, names = schema.get("properties"), schema.get("required")
    properties: Schema = dict(own) if isinstance(own, dict) else {}
    required = (
        {each for each in names if isinstance(each, str)} if isinstance(names, list) else set()
    )
    if depth == MAX_DEPTH:
        return properties, required
    groups = {name: schema.get(name) for name in ALTERNATIVES}
    groups["$ref"] = [_definition(schema.get("$ref"), whole)]
    for keyword, group in groups.items():
        parts = (
            [each for each in group if isinstance(each, dict)] if isinstance(group, list) else []
        )
        found = [_parts(each, whole, depth + 1) for each in parts]
        for more, _ in found:
            properties = more | properties
        musts = [must for _, must in found]
        if musts:
            together = keyword in ("allOf", "$ref")
            required |= set.union(*musts) if together else set.intersection(*musts)
    return properties, required


def _definition(reference: Any, whole: Schema) -> Any:
    """The definition that a reference within the schema names."""
    if not isinstance(reference, str):
        return None
    for beginning in DEFINITIONS:
        if reference.startswith(beginning):
            named = whole.get(beginning.strip("#/"))
            return named.get(reference.removeprefix(beginning)) if isinstance(named, dict) else None
    return None
