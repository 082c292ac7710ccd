"""The description of the HTTP API (https://spec.openapis.org/oas/v3.1.1.html), from the tables of
operations that its addresses come from too: what is served is described."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from inspect import cleandoc
from typing import Any, Literal, TypeAlias

import msgspec

from engine.errors import HTTP_STATUS
from wire.objects import ErrorEnvelope

JSON_TYPE, EVENT_TYPE = "application/json", "text/event-stream"
PREFIX = "/api/"

Document: TypeAlias = dict[str, Any]

# Any request with a key may meet these.
WITH_KEY = (
    *("auth_required", "invalid_token", "token_expired", "key_revoked", "forbidden"),
    *("agent_not_found", "agent_mismatch", "rate_limited", "invalid_message", "message_too_large"),
    *("unavailable", "internal_error"),
)
NAMES = {
    "agent_id": "The agent: its id or its slug.",
    "conversation_id": "The conversation: its id, or the name that you gave it.",
    "key_id": "The key's id.",
    "message_id": "The message's id.",
    "run_id": "The run's id.",
}
"""What stands in the addresses."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A value of the query string or of a header; `schema` is its JSON Schema."""

    name: str
    schema: Mapping[str, Any]
    description: str
    place: Literal["query", "header"] = "query"


class Events:
    """Stands for an event stream, where others name the struct that they answer with."""


@dataclass(frozen=True)
class Operation:
    """One method at one address below `/api/`, and the view that answers it.

    `answers` are its successes: a status, and the types that it may carry. `errors` are the codes
    that it has beyond those that any request may meet. Without a `scope` it is for everybody."""

    method: str
    path: str
    view: Callable[..., Any]
    name: str
    summary: str
    answers: Mapping[int, tuple[Any, ...]]
    scope: str | None = None
    body: type | None = None
    body_required: bool = True
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """Every error that it may answer with."""
        if self.scope is None:
            return (*self.errors, "internal_error")
        once = ("idempotency_conflict",) if self.method == "POST" else ()
        return (*WITH_KEY, *once, *self.errors)


IDEMPOTENCY_KEY = Parameter(
    name="Idempotency-Key",
    schema={"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    description="Names this request: sent again within 24 hours, it is not carried out again.",
    place="header",
)


def document(operations: Iterable[Operation], *, version: str) -> Document:
    """The OpenAPI 3.1 document of these operations."""
    operations = list(operations)
    schemas, components = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = paths.setdefault(_path(operation), {})
        path[operation.method.lower()] = _described(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Clawsite",
            "version": version,
            "summary": "Streaming AI agents. docs/protocol.md says the same in words.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [
            {"url": "/", "description": "The request or the key says which agent."},
            {
                "url": "/a/{slug}",
                "description": "One agent.",
                "variables": {"slug": {"default": "my-agent"}},
            },
        ],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": dict(sorted(_refusals(operations))),
            "headers": {
                "RequestId": {
                    "description": "Quote it when you report a problem.",
                    "required": True,
                    "schema": {"type": "string"},
                },
                "RetryAfter": {"description": "Seconds.", "schema": {"type": "integer"}},
            },
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _schemas(operations: list[Operation]) -> tuple[dict[type, Any], dict[str, Any]]:
    """A reference for each type that the operations take and give, and what they lead to."""
    named: dict[type, None] = {ErrorEnvelope: None}
    for operation in operations:
        given = [struct for structs in operation.answers.values() for struct in structs]
        taken = [operation.body] if operation.body else []
        named |= dict.fromkeys(struct for struct in [*taken, *given] if struct is not Events)
    references, components = msgspec.json.schema_components(
        named, ref_template="#/components/schemas/{name}"
    )
    for schema in components.values():
        if "description" in schema:
            schema["description"] = _in_camel_case(cleandoc(schema["description"]))
    return dict(zip(named, references, strict=True)), components


def _in_camel_case(text: str) -> str:
    """A docstring that names fields, with their JSON names."""
    return re.sub(r"`([a-z_]+)`", lambda found: f"`{_camel(found[1])}`", text)


def _path(operation: Operation) -> str:
    return PREFIX + re.sub(r"<(\w+)>", lambda found: f"{{{_camel(found[1])}}}", operation.path)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _described(operation: Operation, schemas: Mapping[type, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [re.split(r"\W", operation.path)[0]],
        "parameters": list(_parameters(operation)),
        "responses": {
            str(status): _answer(status, structs, schemas)
            for status, structs in operation.answers.items()
        }
        | {
            str(status): {"$ref": f"#/components/responses/{_refusal_name(status, codes)}"}
            for status, codes in _by_status(operation)
        },
        "security": [] if operation.scope is None else [{"key": [operation.scope]}],
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": operation.body_required,
            "content": {JSON_TYPE: {"schema": schemas[operation.body]}},
        }
    return described


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"<(\w+)>", operation.path):
        yield {
            "name": _camel(name),
            "in": "path",
            "required": True,
            "description": NAMES[name],
            "schema": {"type": "string", "minLength": 1},
        }
    repeatable = operation.method == "POST" and operation.scope is not None
    once = (IDEMPOTENCY_KEY,) if repeatable else ()
    for parameter in (*operation.parameters, *once):
        yield {
            "name": parameter.name,
            "in": parameter.place,
            "description": parameter.description,
            "schema": parameter.schema,
        }


def _answer(status: int, structs: tuple[Any, ...], schemas: Mapping[type, Any]) -> dict[str, Any]:
    said = "Each event's `data` is JSON as in docs/events.schema.json." if Events in structs else ""
    answer: dict[str, Any] = {
        "description": said or HTTPStatus(status).phrase,
        "headers": {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}},
    }
    if structs:
        answer["content"] = dict(_content(struct, schemas) for struct in structs)
    return answer


def _content(struct: type, schemas: Mapping[type, Any]) -> tuple[str, dict[str, Any]]:
    return (EVENT_TYPE, {}) if struct is Events else (JSON_TYPE, {"schema": schemas[struct]})


def _by_status(operation: Operation) -> list[tuple[int, list[str]]]:
    codes = sorted(set(operation.codes))
    statuses = sorted({HTTP_STATUS[code] for code in codes})
    return [
        (status, [code for code in codes if HTTP_STATUS[code] == status]) for status in statuses
    ]


def _refusals(operations: list[Operation]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A response for each status with each set of codes that there is; several operations share
    most of them."""
    for operation in operations:
        for status, codes in _by_status(operation):
            yield _refusal_name(status, codes), _refusal(status, codes)


def _refusal_name(status: int, codes: list[str]) -> str:
    return ".".join([str(status), *codes])


def _refusal(status: int, codes: list[str]) -> dict[str, Any]:
    headers = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
    if status in (429, 503):
        headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    code = {"properties": {"error": {"properties": {"code": {"enum": codes}}}}}
    envelope = {"$ref": "#/components/schemas/ErrorEnvelope"}
    return {
        "description": ", ".join(f"`{code}`" for code in codes),
        "headers": headers,
        "content": {JSON_TYPE: {"schema": {"allOf": [envelope, code]}}},
    }
