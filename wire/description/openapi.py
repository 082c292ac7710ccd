"""The description of the HTTP API (https://spec.openapis.org/oas/v3.1.1.html), made from the
tables of operations that the addresses come from too."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from inspect import cleandoc
from typing import Any, Literal, TypeAlias

import msgspec

from wire.description.names import camel, in_camel_case
from wire.errors import HTTP_STATUS
from wire.objects.conversations import ErrorEnvelope

JSON_TYPE, EVENT_TYPE = "application/json", "text/event-stream"
FORM_TYPE = "multipart/form-data"
PREFIX = "/api/"

Document: TypeAlias = dict[str, Any]

# Any request with a credential may meet these.
WITH_CREDENTIAL = (
    *("auth_required", "invalid_token", "token_expired", "key_revoked", "forbidden"),
    *("agent_not_found", "agent_mismatch", "rate_limited", "invalid_message", "message_too_large"),
    *("not_found", "unsupported_encoding", "unavailable", "internal_error"),
)
NAMES = {
    "approval_id": "The approval's id, which is that of its tool call.",
    "agent_id": "The agent: its id or its slug.",
    "budget_id": "The budget's id.",
    "delivery_id": "The delivery's id, which is its `webhook-id`.",
    "document_id": "The document's id.",
    "file_id": "The file's id.",
    "conversation_id": "The conversation: its id, or the name that you gave it.",
    "invitation_id": "The invitation's id.",
    "key_id": "The key's id.",
    "member_id": "The member's id, which is that of the membership: `mem_...`.",
    "memory_id": "The memory's id.",
    "message_id": "The message's id.",
    "name": "The secret's name.",
    "pipeline_id": "The pipeline's id.",
    "checkpoint_id": "The checkpoint's id.",
    "table_name": "The table's name.",
    "secret": "The secret part of the address, as `ingestUrl` has it.",
    "response_id": "The response's id: `resp_` and what follows `run_` in the id of its run.",
    "run_id": "The run's id.",
    "server_id": "The MCP server's id.",
    "standing_approval_id": "The standing approval's id.",
    "version": "The number of the version.",
    "webhook_id": "The webhook's id.",
    "rule_id": "The id of an alert rule.",
    "visitor_id": "The visitor's id: `anon:...` or `user:...`.",
}
"""The variables of the addresses."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A value of the query string or of a header; `schema` is its JSON Schema."""

    name: str
    schema: Mapping[str, Any]
    description: str
    place: Literal["query", "header"] = "query"


class Text:
    """In place of a struct: the answer is no JSON. `said` is what there is to say of it."""

    media_type: str
    said = ""


class Events(Text):
    """An event stream."""

    media_type = EVENT_TYPE
    said = "Each event's `data` is JSON as in docs/events.schema.json."


class Csv(Text):
    """A table."""

    media_type = "text/csv"


class Markdown(Text):
    """A text for people."""

    media_type = "text/markdown"


@dataclass(frozen=True)
class Operation:
    """One method at one address below `prefix`, and the view that answers it.

    `answers` are its successes: a status, and the types that it may carry. `errors` are the codes
    that it has beyond those that any request may meet. Without a `scope` it is for everybody; the
    scopes of `instead`, all of them together, do as well;
    without `session` it is not for members by their session. `form` is the type of a
    `multipart/form-data` body that it takes too, `envelope` that of its errors, which have the code
    at `code_at`."""

    method: str
    path: str
    view: Callable[..., Any]
    name: str
    summary: str
    answers: Mapping[int, tuple[Any, ...]]
    scope: str | None = None
    instead: tuple[str, ...] = ()
    body: type | None = None
    body_required: bool = True
    form: type | None = None
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[str, ...] = ()
    session: bool = True
    prefix: str = PREFIX
    envelope: type = ErrorEnvelope
    code_at: tuple[str, ...] = ("error", "code")

    @property
    def codes(self) -> tuple[str, ...]:
        """Every error that it may answer with."""
        if self.scope is None:
            return (*self.errors, "internal_error")
        once = ("idempotency_conflict",) if self.method == "POST" else ()
        return (*WITH_CREDENTIAL, *once, *self.errors)


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
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "sessionid",
                    "description": "A member who has signed in, from the console's own pages;"
                    " `X-Claw-Organization` names the organisation by its slug.",
                },
            },
        },
    }


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    """The ways to authenticate: a key with the scope, or the session of a member who has it."""
    if operation.scope is None:
        return []
    ways: list[dict[str, list[str]]] = [{"key": [operation.scope]}]
    if operation.instead:
        ways.append({"key": list(operation.instead)})
    if operation.session:
        ways.append({"session": []})
    return ways


def _schemas(operations: list[Operation]) -> tuple[dict[type, Any], dict[str, Any]]:
    """A reference for each type that the operations take and give, and what they lead to."""
    named: dict[type, None] = dict.fromkeys(operation.envelope for operation in operations)
    for operation in operations:
        given = [struct for structs in operation.answers.values() for struct in structs]
        taken = [body for body in (operation.body, operation.form) if body]
        structs = [struct for struct in given if not issubclass(struct, Text)]
        named |= dict.fromkeys([*taken, *structs])
    references, components = msgspec.json.schema_components(
        named, ref_template="#/components/schemas/{name}"
    )
    for struct in named:  # what a struct's fields cannot say
        if (said := getattr(struct, "SCHEMA", None)) is not None:
            components[struct.__name__] |= said
    for schema in components.values():
        if "description" in schema:
            schema["description"] = in_camel_case(cleandoc(schema["description"]))
    return dict(zip(named, references, strict=True)), components


def _path(operation: Operation) -> str:
    return operation.prefix + re.sub(
        r"<(\w+)>", lambda found: f"{{{camel(found[1])}}}", operation.path
    )


def _described(operation: Operation, schemas: Mapping[type, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [_tag(operation)],
        "parameters": list(_parameters(operation)),
        "responses": {
            str(status): _answer(status, structs, schemas)
            for status, structs in operation.answers.items()
        }
        | {
            str(status): {
                "$ref": f"#/components/responses/{_refusal_name(operation, status, codes)}"
            }
            for status, codes in _by_status(operation)
        },
        "security": _security(operation),
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": operation.body_required,
            "content": {JSON_TYPE: {"schema": schemas[operation.body]}},
        }
        if operation.form is not None:
            form = {FORM_TYPE: {"schema": schemas[operation.form]}}
            described["requestBody"]["content"] |= form
    return described


def _tag(operation: Operation) -> str:
    """The tag of an operation: a kind of object, or a protocol of somebody else."""
    if operation.prefix != PREFIX:
        return operation.prefix.strip("/") or operation.path
    return re.split(r"\W", operation.path)[0]


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"<(\w+)>", operation.path):
        yield {
            "name": camel(name),
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
    said = next((struct.said for struct in structs if issubclass(struct, Text)), "")
    answer: dict[str, Any] = {
        "description": said or HTTPStatus(status).phrase,
        "headers": {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}},
    }
    if structs:
        answer["content"] = dict(_content(struct, schemas) for struct in structs)
    return answer


def _content(struct: type, schemas: Mapping[type, Any]) -> tuple[str, dict[str, Any]]:
    if issubclass(struct, Text):
        return struct.media_type, {}
    return JSON_TYPE, {"schema": schemas[struct]}


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
            yield _refusal_name(operation, status, codes), _refusal(operation, status, codes)


def _refusal_name(operation: Operation, status: int, codes: list[str]) -> str:
    kind = [] if operation.envelope is ErrorEnvelope else [_tag(operation)]
    return ".".join([*kind, str(status), *codes])


def _refusal(operation: Operation, status: int, codes: list[str]) -> dict[str, Any]:
    headers = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
    if status in (429, 503):
        headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    code: dict[str, Any] = {"enum": codes}
    for name in reversed(operation.code_at):
        code = {"properties": {name: code}}
    envelope = {"$ref": f"#/components/schemas/{operation.envelope.__name__}"}
    return {
        "description": ", ".join(f"`{code}`" for code in codes),
        "headers": headers,
        "content": {JSON_TYPE: {"schema": {"allOf": [envelope, code]}}},
    }
