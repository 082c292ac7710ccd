"""P37: a text that may not be empty says so in the API's description."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import jsonschema_rs
import pytest

from tests.live.belongings import MCP_SERVER, REQUIRED, Belongings, make_belongings, master_key
from tests.live.clients import Rest
from tests.live.described import description, resolve
from tests.live.server import Server

Operation = tuple[str, str, dict[str, Any]]
OPERATIONS: list[Operation] = [
    (method.upper(), path, operation)
    for path, operations in description()["paths"].items()
    for method, operation in operations.items()
]
BODIES = REQUIRED | {"/api/agents": {"name": "Helper"}, "/api/mcp-servers": MCP_SERVER}
ALONE = {("/api/stream-tickets", "runId"), ("/api/stream-tickets", "conversationId")}
"""What a request has in place of the fields of `BODIES`."""
NOT_BOTH = {("/api/mcp-servers", "url"), ("/api/mcp-servers/{serverId}", "url")}
"""Texts that are empty where another field says it: an MCP server has a `url` or a program."""
OF_NO_CALL = {("/api/runs/{runId}/tool-results", "result")}
"""Texts that may be empty, beside the id of a call that the run has not made."""


@pytest.fixture
async def acme(server: Server) -> AsyncIterator[Rest]:
    async with Rest(server.url, master_key(server, "acme")) as client:
        yield client


@pytest.fixture
async def mine(acme: Rest) -> Belongings:
    return await make_belongings(acme)


def takes(schema: dict[str, Any], value: Any) -> bool:
    """Whether a part of the description says that this may be sent."""
    components = description()["components"]
    return jsonschema_rs.validator_for(schema | {"components": components}).is_valid(value)


def empty_texts() -> Iterator[tuple[str, str, dict[str, Any], str, Any, Any]]:
    """Method, path, schema, field and value of everything that could be an empty text, and a text
    in its place."""
    for method, path, operation in OPERATIONS:
        if "requestBody" in operation:
            schema = resolve(operation["requestBody"]["content"]["application/json"]["schema"])
            for name, field in schema.get("properties", {}).items():
                for value, likely in (("", "words"), ([""], ["words"])):
                    if takes(field, likely) and "format" not in str(field):
                        yield method, path, field, name, value, likely


async def refusal(rest: Rest, method: str, address: str, body: dict[str, Any]) -> str:
    """What is wrong with the request; empty if nothing is, or not with its texts."""
    answer = await rest.request(method, address, json=body)
    if answer.status_code < 400 or answer.status_code == 409:
        return ""
    return str(answer.json()["error"]["message"])


async def test_it_works(acme: Rest, mine: Belongings) -> None:
    wrong, refused = [], 0
    for method, path, field, name, value, likely in empty_texts():
        if (path, name) in NOT_BOTH | OF_NO_CALL:
            continue
        beside = {} if (path, name) in ALONE else BODIES.get(path, {})
        address = mine.address("/a/{agentId}" + path)
        problem = await refusal(acme, method, address, beside | {name: value})
        refused += bool(problem)
        if not problem or not takes(field, value):
            continue
        # A field that is not supported says so of every text.
        if problem != await refusal(acme, method, address, beside | {name: likely}):
            wrong.append(f"{method} {path} {name} {value}: {problem}")
    assert refused and not wrong, "\n".join(wrong)
