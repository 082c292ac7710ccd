"""Holds every answer of the REST API against its description (docs/openapi.json)."""

import json
import re
from functools import cache
from typing import Any

import httpx
import jsonschema_rs

from tests.documents import read

Described = dict[str, Any]


@cache
def description() -> Described:
    """The OpenAPI document. Objects are closed: a field that is not described is a defect."""
    document: Described = json.loads(read("docs/openapi.json"))
    for schema in document["components"]["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return document


def resolve(part: Described) -> Described:
    """What a part of the document says, or the one that it refers to."""
    if "$ref" not in part:
        return part
    found = description()
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


@cache
def _addresses() -> list[tuple[re.Pattern[str], Described]]:
    """Those without a name in them first, as the server finds them."""
    paths = sorted(description()["paths"].items(), key=lambda each: "{" in each[0])
    return [
        (re.compile(r"(/a/[^/]+)?" + re.sub(r"{\w+}", "[^/]+", path)), operations)
        for path, operations in paths
    ]


def operation_at(method: str, path: str) -> Described | None:
    """What is described at this address, if anything is."""
    for address, operations in _addresses():
        if address.fullmatch(path):
            return operations.get(method.lower())
    return None


@cache
def _validator(schema: str) -> jsonschema_rs.Validator:
    components = description()["components"]
    return jsonschema_rs.validator_for(json.loads(schema) | {"components": components})


def check_answer(answer: httpx.Response) -> httpx.Response:
    """The answer, which must be one that the document describes for this request (P37)."""
    operation = operation_at(answer.request.method, answer.request.url.path)
    if operation is None:
        return answer
    place = f"{answer.request.method} {answer.request.url.path} -> {answer.status_code}"
    described = operation["responses"].get(str(answer.status_code))
    assert described is not None, f"{place}: {answer.text}"
    described = resolve(described)
    assert "x-request-id" in answer.headers, place
    content = described.get("content", {})
    if not content:
        assert not answer.content, place
        return answer
    type_ = answer.headers["content-type"].partition(";")[0]
    assert type_ in content, f"{place}: {type_}"
    if type_ == "application/json":
        _validator(json.dumps(content[type_]["schema"])).validate(answer.json())
    return answer
