"""`conversations.transports.facade.mcp`: agents are tools of an MCP server."""

from typing import Any

import pytest

from tests.asgi import Response, ask
from tests.conversations.parts import QUICK

pytestmark = pytest.mark.usefixtures("services")

LEGACY = {"mcp-protocol-version": "2025-06-18"}


def says(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def calls(name: str = "ask_helper", text: str = QUICK) -> dict[str, Any]:
    return says("tools/call", name=name, arguments={"message": text})


async def test_the_agents_of_the_key_are_its_tools(key, foreign_agent) -> None:
    status, told = await ask("POST", "/mcp", says("tools/list"), token=key[1], **LEGACY)
    assert status == 200
    assert [tool["name"] for tool in told["result"]["tools"]] == ["ask_helper"]


async def test_a_call_streams_to_its_result(key) -> None:
    accept = {"accept": "application/json, text/event-stream"}
    async with Response("POST", "/mcp", calls(), token=key[1], **LEGACY, **accept) as response:
        await response.ended()
    assert response.status == 200 and "Hello there" in response.text


async def test_a_session_is_only_a_name(key) -> None:
    body = says("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo={})
    async with Response("POST", "/mcp", body, token=key[1]) as response:
        await response.ended()
    headers = {name.lower(): value for name, value in response.sent[0]["headers"]}
    assert response.status == 200 and headers[b"mcp-session-id"]


async def test_p24_a_tool_of_others_is_not_there(key, foreign_agent) -> None:
    for name in ("ask_spy", "ask_missing", "dance"):
        _, told = await ask("POST", "/mcp", calls(name), token=key[1], **LEGACY)
        assert told["error"]["code"] == -32602


async def test_a_method_that_is_not_there(key) -> None:
    _, told = await ask("POST", "/mcp", says("tools/dance"), token=key[1], **LEGACY)
    assert told["error"]["code"] == -32601
    assert (await ask("POST", "/mcp", says("tools/list")))[0] == 401


async def test_a_page_of_another_origin_is_refused(key) -> None:
    body, evil = says("tools/list"), "https://evil.example"
    status, _ = await ask("POST", "/mcp", body, token=key[1], origin=evil, **LEGACY)
    assert status == 403
