"""JSON Schema (2020-12) of what the server sends on a WebSocket or in an event stream."""

from inspect import cleandoc
from typing import Any, Union

import msgspec

from engine.events import TAGS
from wire.description.names import in_camel_case
from wire.feed import AnyMessage
from wire.frames import AnyFrame
from wire.visibility import USAGE_FIELDS, USAGE_METRICS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SEALED = {"runId": {"type": "string"}, "seq": {"type": "integer", "minimum": 1}}
BRIEF = {kind.__name__ for kind in TAGS if kind.brief}
SHOWN: Any = Union[tuple(kind for kind in TAGS if not kind.internal)]  # noqa: UP007 - computed
NAMED = {"conversationId": {"type": "string"}, "messageId": {"type": "string"}}


def event_schema() -> dict[str, Any]:
    """All events and frames. Each is closed: an undeclared field is a defect."""
    (frames,), components = msgspec.json.schema_components(
        [AnyFrame], ref_template="#/$defs/{name}"
    )
    (events,), defined = msgspec.json.schema_components(
        [SHOWN], ref_template="#/$defs/Event.{name}"
    )
    (messages,), told = msgspec.json.schema_components(
        [AnyMessage], ref_template="#/$defs/Feed.{name}"
    )
    definitions = {name: _closed(schema) for name, schema in components.items()}
    definitions |= {f"Event.{name}": _sealed(name, schema) for name, schema in defined.items()}
    definitions |= {f"Feed.{name}": _closed(schema) for name, schema in told.items()}
    for schema in definitions.values():
        schema["description"] = in_camel_case(cleandoc(schema["description"]))
    return {
        "$schema": DIALECT,
        "title": "Clawsite native protocol, version 1: server to client",
        "anyOf": [*frames["anyOf"], *events["anyOf"], *messages["anyOf"]],
        "$defs": definitions,
    }


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object that has the declared fields only."""
    return schema | {"additionalProperties": False} if "properties" in schema else schema


def _sealed(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of an event as the log seals it: every event has run and position, and the other
    ids unless it is brief."""
    properties = schema.get("properties", {})
    if "seq" not in properties:  # a part of an event: usage, metrics
        return _closed(schema | {"required": _required(name, schema)})
    ids = SEALED if name in BRIEF else SEALED | NAMED
    kept = {field: rule for field, rule in properties.items() if field not in SEALED | NAMED}
    return {
        **schema,
        "properties": kept | ids,
        "required": [*_required(name, schema), *ids],
        "additionalProperties": False,
    }


def _required(name: str, schema: dict[str, Any]) -> list[str]:
    """The fields that every watcher gets. Visitors may get nothing of the model and its usage."""
    whole = {"Usage": (), "UsageReported": (), "Metrics": USAGE_METRICS}
    missing = whole.get(name, USAGE_FIELDS)
    return [field for field in schema.get("required", []) if field not in missing]
