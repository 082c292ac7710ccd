"""JSON Schema (2020-12) of what the server sends on a WebSocket or in an event stream."""

from typing import Any

import msgspec

from engine.events import TAGS, AnyEvent
from wire.frames import AnyFrame

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SEALED = {"runId": {"type": "string"}, "seq": {"type": "integer", "minimum": 1}}
BRIEF = {kind.__name__ for kind in TAGS if kind.brief}
NAMED = {"conversationId": {"type": "string"}, "messageId": {"type": "string"}}


def event_schema() -> dict[str, Any]:
    """Events and frames, each closed: a field that is not declared is a defect."""
    (frames,), components = msgspec.json.schema_components(
        [AnyFrame], ref_template="#/$defs/{name}"
    )
    (events,), defined = msgspec.json.schema_components(
        [AnyEvent], ref_template="#/$defs/Event.{name}"
    )
    shown = [variant for variant in events["anyOf"] if not variant["$ref"].endswith(".Step")]
    definitions = {name: _closed(schema) for name, schema in components.items()}
    definitions |= {
        f"Event.{name}": _sealed(name, schema) for name, schema in defined.items() if name != "Step"
    }
    return {
        "$schema": DIALECT,
        "title": "Clawsite native protocol, version 1: server to client",
        "anyOf": [*frames["anyOf"], *shown],
        "$defs": definitions,
    }


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """An object without fields of its own choosing."""
    return schema | {"additionalProperties": False} if "properties" in schema else schema


def _sealed(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """An event as the log seals it: run and position on all, the other ids unless it is brief."""
    properties = schema.get("properties", {})
    if "seq" not in properties:  # a part of an event: usage, metrics
        return _closed(schema)
    ids = SEALED if name in BRIEF else SEALED | NAMED
    kept = {field: rule for field, rule in properties.items() if field not in SEALED | NAMED}
    return {
        **schema,
        "properties": kept | ids,
        "required": [*schema.get("required", []), *ids],
        "additionalProperties": False,
    }
