"""What docs/tools.md says of MCP servers, with a server that nobody here wrote."""

import json
import re
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.documents import ROOT, read
from tests.live.clients import Event, Rest, WebSocket
from tests.live.installation import Installation
from tests.live.scaled.stack import Stack
from tests.live.server import Server

pytestmark = pytest.mark.live

EVERYTHING = ROOT / "tests/node_modules/@modelcontextprotocol/server-everything/dist/index.js"


@pytest.fixture(scope="module")
def server(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server | Stack]:
    """A server whose operator offers the program of the page."""
    folder = tmp_path_factory.mktemp("server")
    (entry,) = re.findall(r'^\{"clock": (.+)\}$', read("docs/tools.md"), re.MULTILINE)
    program = json.loads(entry)
    assert program["command"] == "mcp-server-time"  # here it may not be on the path
    program |= {"command": sys.executable, "args": ["-m", "mcp_server_time", *program["args"]]}
    everything = {"command": "node", "args": [str(EVERYTHING), "stdio"], "env": {}}
    (folder / "mcp.json").write_text(json.dumps({"clock": program, "everything": everything}))
    with installation.deployed(folder, CLAW_MCP_STDIO=str(folder / "mcp.json")) as server:
        yield server.start()


@pytest.fixture
async def admin(server: Server) -> AsyncIterator[Rest]:
    """acme, with a key that opens every agent."""
    scopes = "chat,agents:read,agents:write,keys:write,admin"
    made = json.loads(
        server.manage("create_api_key", "--org", "acme", "--scopes", scopes, "--json")
    )
    async with Rest(server.url, made["apiKey"]) as client:
        yield client


async def made(admin: Rest, path: str, body: dict[str, Any], status: int = 201) -> Any:
    answer = await admin.post(path, body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_it_works(admin: Rest, ws: WebSocket) -> None:
    """A program of the operator's, tried and then used by an agent."""
    server = await made(admin, "/api/mcp-servers", {"name": "time", "stdio": "clock"})
    tested = await made(admin, f"/api/mcp-servers/{server['id']}/test", {}, 200)
    assert tested["ok"], tested
    assert {tool["name"] for tool in tested["tools"]} == {"get_current_time", "convert_time"}
    call = {"tool": "get_current_time", "args": {"timezone": "Asia/Tokyo"}}
    called = await made(admin, f"/api/mcp-servers/{server['id']}/call", call, 200)
    assert called["result"]["timezone"] == "Asia/Tokyo" and not called["isError"]

    fields = {"provider": "anthropic", "model": "m"}
    fields |= {"tools": [{"mcpServer": server["id"], "name": "*"}]}
    changed = await admin.request("PATCH", "/api/agents/acme-agent", json=fields)
    assert changed.status_code == 200, changed.text
    args = "eyJ0aW1lem9uZSI6ICJBc2lhL1Rva3lvIn0="  # {"timezone": "Asia/Tokyo"}
    events = await ws.ask(f"[[upstream mode=tool tool=get_current_time input={args} tokens=2]]")
    (result,) = results(events)
    assert result["result"]["timezone"] == "Asia/Tokyo", result
    assert [event["type"] for event in events][-2:] == ["message_complete", "done"]
    gone = await admin.request("DELETE", f"/api/mcp-servers/{server['id']}")
    assert gone.status_code == 409 and gone.json()["error"]["code"] == "in_use"


@pytest.mark.node
async def test_what_a_server_asks_in_mid_call_is_a_question(admin: Rest, ws: WebSocket) -> None:
    """The run goes on working; the answer may come from any process, and is checked."""
    server = await made(admin, "/api/mcp-servers", {"name": "all", "stdio": "everything"})
    name = "trigger-elicitation-request"
    entry = {"mcpServer": server["id"], "name": name, "approval": "never"}
    fields = {"provider": "demo", "tools": [entry]}
    changed = await admin.request("PATCH", "/api/agents/acme-agent", json=fields)
    assert changed.status_code == 200, changed.text
    await ws.send(type="message", content=f"/tool {name}\n/delay 0")
    question = await ws.until("question")
    assert "name" in question["schema"]["properties"]
    run = (await admin.get(f"/api/runs/{question['runId']}")).json()
    assert (run["status"], run["pending"][0]["id"]) == ("running", question["id"])
    await ws.send(type="answer", id=question["id"], text="Ada")
    assert (await ws.until("error"))["code"] == "invalid_message"
    await ws.send(type="answer", id=question["id"], text='{"name": "Ada Lovelace"}')
    ended = await ws.until("tool_result", where=lambda event: event["id"] == question["id"])
    assert (ended["client"], ended["isError"]) == (True, False)
    assert "Ada Lovelace" in (await ws.until("message_complete"))["content"]


async def test_the_server_of_the_page(admin: Rest) -> None:
    """Its header names a secret, which no answer has."""
    page = read("docs/tools.md")
    (body,) = re.findall(r"^POST /api/mcp-servers +(\{.+\})$", page, re.MULTILINE)
    await made(admin, "/api/secrets", {"name": "CRM", "value": "hush-hush"})
    server = await made(admin, "/api/mcp-servers", json.loads(body))
    assert server["headers"] == {"Authorization": None}
    for path in ("/api/secrets", "/api/mcp-servers", f"/api/mcp-servers/{server['id']}"):
        assert "hush" not in (await admin.get(path)).text


async def test_no_program_of_a_tenants_choice(admin: Rest) -> None:
    answer = await admin.post("/api/mcp-servers", {"name": "sh", "stdio": "/bin/sh"})
    assert answer.status_code == 400
    private = {"name": "inside", "url": "https://10.0.0.1/mcp"}
    server = await made(admin, "/api/mcp-servers", private)
    tested = await made(admin, f"/api/mcp-servers/{server['id']}/test", {}, 200)
    assert not tested["ok"] and "not allowed" in tested["error"]


def results(events: list[Event]) -> list[Event]:
    return [event for event in events if event["type"] == "tool_result"]
