"""Write the TypeScript types of what the server sends to static/claw/protocol.d.ts.

python -m scripts.export_types [--check]
"""

import json
from inspect import cleandoc
from pathlib import Path
from textwrap import wrap
from typing import Any

import msgspec

from scripts.generated import main
from wire.description.names import in_camel_case
from wire.description.schema import event_schema
from wire.objects.visitors import AgentGreeting

PATH = Path(__file__).resolve().parent.parent / "static" / "claw" / "protocol.d.ts"
HEAD = (
    "// The types of docs/protocol.md. `python -m scripts.export_types` makes them: do not edit.\n"
)
FEED = "Feed."
"""Types whose names begin so belong to the command center, which the client does not read."""
PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}
PLAIN |= {"null": "null"}
RENAMED = {"Error": "ErrorFrame"}
"""A name that JavaScript has already."""


def text() -> str:
    """The content of the file."""
    schema = event_schema()
    interfaces = {
        _name(key): _interface(_name(key), definition)
        for key, definition in {**schema["$defs"], **_greeting()}.items()
        if not key.startswith(FEED)
    }
    refs = [variant["$ref"].removeprefix("#/$defs/") for variant in schema["anyOf"]]
    events = [_name(ref) for ref in refs if ref.startswith("Event.")]
    frames = [_name(ref) for ref in refs if "." not in ref]
    unions = [
        _union("AnyEvent", "An event of a run.", events),
        _union("AnyFrame", "What else a WebSocket carries.", frames),
    ]
    return "\n".join([HEAD, *interfaces.values(), *unions])


def _greeting() -> dict[str, dict[str, Any]]:
    """The object that a page gets of an agent before the first message."""
    _, definitions = msgspec.json.schema_components([AgentGreeting], ref_template="#/$defs/{name}")
    for schema in definitions.values():
        schema["description"] = in_camel_case(cleandoc(schema["description"]))
    return definitions


def _name(key: str) -> str:
    key = key.removeprefix("Event.")
    return RENAMED.get(key, key)


def _interface(name: str, definition: dict[str, Any]) -> str:
    fields = "".join(
        _field(field, rule, required=field in definition["required"])
        for field, rule in definition["properties"].items()
    )
    return f"{_comment(definition['description'])}export interface {name} {{\n{fields}}}\n"


def _field(name: str, rule: dict[str, Any], *, required: bool) -> str:
    if required:
        return f"  {name}: {_type(rule)};\n"
    if rule.get("default", ...) is None:  # then it is absent, never null
        rule = {"anyOf": [each for each in rule["anyOf"] if each != {"type": "null"}]}
    return f"  {name}?: {_type(rule)};\n"


def _comment(description: str) -> str:
    lines = wrap(" ".join(description.split()), 96)
    if len(lines) == 1:
        return f"/** {lines[0]} */\n"
    return "/**\n" + "".join(f" * {line}\n" for line in lines) + " */\n"


def _union(name: str, meaning: str, names: list[str]) -> str:
    variants = "".join(f"\n  | {each}" for each in names)
    return f"{_comment(meaning)}export type {name} ={variants};\n"


def _type(rule: dict[str, Any]) -> str:
    if "enum" in rule:
        return " | ".join(map(json.dumps, rule["enum"]))
    if "anyOf" in rule:
        return " | ".join(_type(each) for each in rule["anyOf"])
    if "$ref" in rule:
        return _name(rule["$ref"].removeprefix("#/$defs/"))
    if rule.get("type") == "array":
        item = _type(rule.get("items", {}))
        return f"({item})[]" if "|" in item else f"{item}[]"
    if isinstance(values := rule.get("additionalProperties"), dict):
        return f"Record<string, {_type(values)}>"
    if rule.get("type") == "object":
        return "Record<string, any>"
    return PLAIN.get(rule.get("type", ""), "any")


if __name__ == "__main__":
    main(PATH, text())
