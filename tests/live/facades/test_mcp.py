"""Agents as tools of an MCP server, by the `mcp` library in both of its ways to connect."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from tests.live.clients import TIMEOUT, Rest
from tests.live.programs import run
from tests.live.raw import aborted, call_of, new_tag
from tests.live.server import Server
from tests.live.visiting import SHOP, Visitor
from tests.upstream.process import UpstreamProcess

MODES = ("legacy", "auto")
TOOL = "ask_acme-agent"
WORDS = "Hello [[upstream tokens=40 delay=5]]"
TEXT = "".join(f"w{i} " for i in range(40))
LONG = "go [[upstream tokens=5000 delay=5 tag=%s]]"
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@asynccontextmanager
async def opened(address: str, token: str, mode: str = "auto", **headers: str) -> Any:
    """A client of `<address>/mcp`."""
    authorization = {"Authorization": f"Bearer {token}", **headers}
    async with httpx2.AsyncClient(
        headers=authorization, trust_env=False, timeout=TIMEOUT
    ) as http_client:
        transport = streamable_http_client(f"{address}/mcp", http_client=http_client)
        async with Client(transport, mode=mode) as client:
            yield client


@pytest.fixture(params=MODES)
async def client(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[str]:
    """The way to connect; the library wants its client opened and closed in one task."""
    yield str(request.param)


async def test_it_works(server: Server, client: str) -> None:
    async with opened(server.url, server.keys.acme, client) as mcp:
        tools = (await mcp.list_tools()).tools
        assert [tool.name for tool in tools] == [TOOL]
        shown: list[tuple[float, str | None]] = []

        async def progress(value: float, total: float | None, message: str | None) -> None:
            shown.append((value, message))

        result = await mcp.call_tool(TOOL, {"message": WORDS}, progress_callback=progress)
    assert (result.is_error, result.content[0].text) == (False, TEXT)
    assert shown and all(TEXT.startswith(message or "-") for _, message in shown)
    assert [value for value, _ in shown] == sorted({value for value, _ in shown})


@pytest.mark.node
async def test_the_library_in_javascript_reads_the_same(server: Server) -> None:
    program = Path(__file__).parent / "node" / "mcp.mjs"
    printed = await run("js", program, URL=server.url, API_KEY=server.keys.acme, MESSAGE=WORDS)
    report = json.loads(printed)
    assert report["tools"] == [TOOL]
    assert report["result"]["structuredContent"]["message"] == TEXT
    assert report["shown"] and all(TEXT.startswith(message) for message in report["shown"])


async def test_a_talk_goes_on(server: Server, rest: Rest, client: str) -> None:
    async with opened(server.url, server.keys.acme, client) as mcp:
        first = (await mcp.call_tool(TOOL, {"message": WORDS})).structured_content
        conversation = first["conversationId"]
        again = {"message": WORDS, "conversationId": conversation}
        second = (await mcp.call_tool(TOOL, again)).structured_content
    assert second["conversationId"] == conversation
    page = (await rest.get(f"/api/conversations/{conversation}/messages")).json()
    assert len(page["messages"]) == 4


async def test_a_call_that_is_cancelled_ends_its_run(
    server: Server, upstream: UpstreamProcess, client: str
) -> None:
    tag = new_tag()
    async with opened(server.url, server.keys.acme, client) as mcp:
        calling = asyncio.create_task(mcp.call_tool(TOOL, {"message": LONG % tag}))
        await call_of(upstream, tag)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        before = time.time()
        assert await aborted(upstream, tag) - before < 0.5


async def test_what_goes_wrong_is_told_the_model_that_has_called(
    server: Server, client: str
) -> None:
    async with opened(server.url, server.keys.acme, client) as mcp:
        result = await mcp.call_tool(TOOL, {"message": "Hi [[upstream mode=error at=3]]"})
        assert result.is_error and result.content[0].text == "w0 w1 w2 "
        assert result.structured_content["code"] == "upstream_overloaded"
        for name, arguments in ((TOOL, {}), ("ask_globex-agent", {"message": "Hi"})):
            with pytest.raises(MCPError) as raised:
                await mcp.call_tool(name, arguments)
            assert raised.value.error.code == -32602


async def test_an_agent_that_waits_for_somebody_answers_with_a_sentence(
    server: Server, manager: Rest, client: str
) -> None:
    tools = [{"builtin": "current_time", "approval": "always"}]
    await manager.request("PATCH", "/api/agents/acme-agent", json={"tools": tools})
    asking = "Time? [[upstream mode=tool tool=current_time tokens=2]]"
    async with opened(server.url, server.keys.acme, client) as mcp:
        result = await mcp.call_tool(TOOL, {"message": asking})
    assert result.is_error and "waits for somebody's decision" in result.content[-1].text
    run = (await manager.get(f"/api/runs/{result.structured_content['runId']}")).json()
    assert run["status"] == "waiting"
    await manager.request("PATCH", "/api/agents/acme-agent", json={"tools": []})


async def test_below_an_agent_s_address_there_is_that_one(
    server: Server, manager: Rest, manager_token: str, client: str
) -> None:
    made = (await manager.post("/api/agents", {"name": "Other"})).json()
    async with opened(server.url, manager_token, client) as mcp:
        names = {tool.name for tool in (await mcp.list_tools()).tools}
        assert {TOOL, f"ask_{made['slug']}"} <= names
    async with opened(f"{server.url}/a/acme-agent", manager_token, client) as mcp:
        assert [tool.name for tool in (await mcp.list_tools()).tools] == [TOOL]
        with pytest.raises(MCPError):
            await mcp.call_tool(f"ask_{made['slug']}", {"message": "Hi"})
    await manager.request("DELETE", f"/api/agents/{made['id']}", json={"name": made["name"]})


async def test_a_visitor_asks_the_agent_of_its_page(server: Server, ada: Visitor) -> None:
    async with opened(f"{server.url}/a/acme-agent", ada.token, Origin=SHOP) as mcp:
        result = await mcp.call_tool(TOOL, {"message": WORDS})
    assert result.content[0].text == TEXT


@pytest.mark.parametrize(
    ("origin", "status"), [(None, 200), ("self", 200), ("https://evil.example", 403)]
)
async def test_a_page_of_another_origin_is_refused(
    server: Server, rest: Rest, origin: str | None, status: int
) -> None:
    named = {"Origin": server.url if origin == "self" else origin} if origin else {}
    answer = await rest.post("/mcp", LIST, headers=named)
    assert answer.status_code == status
    assert ("error" in answer.json()) == (status == 403)


async def test_errors_are_those_of_json_rpc(server: Server, rest: Rest) -> None:
    stranger = httpx2.post(f"{server.url}/mcp", json=LIST, trust_env=False)
    assert (stranger.status_code, stranger.json()["error"]["data"]["code"]) == (
        401,
        "auth_required",
    )
    unknown = {**LIST, "method": "prompts/list"}
    assert (await rest.post("/mcp", unknown)).json()["error"]["code"] == -32601
    modern = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "prompts/list"}
    assert (await rest.post("/mcp", unknown, headers=modern)).status_code == 404
    old = await rest.post("/mcp", LIST, headers={"MCP-Protocol-Version": "2020-01-01"})
    assert (old.status_code, old.json()["error"]["code"]) == (400, -32022)
    assert (await rest.get("/mcp")).status_code == 405


async def test_a_session_goes_on_at_any_process(rest: Rest) -> None:
    """A session is a name: what no process has begun is not refused."""
    begin = {**LIST, "method": "initialize", "params": {"protocolVersion": "2025-06-18"}}
    begun = await rest.post("/mcp", begin)
    assert begun.json()["result"]["protocolVersion"] == "2025-06-18"
    session = {"Mcp-Session-Id": begun.headers["mcp-session-id"]}
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert (await rest.post("/mcp", ready, headers=session)).status_code == 202
    for named in (session, {"Mcp-Session-Id": "of-another-process"}, {}):
        assert (await rest.post("/mcp", LIST, headers=named)).json()["result"]["tools"]


async def listed(mcp: Any) -> dict[str, str]:
    """All resources of a client: names by address."""
    found: dict[str, str] = {}
    cursor = None
    while True:
        page = await mcp.list_resources(cursor=cursor)
        found |= {str(each.uri): each.name for each in page.resources}
        if (cursor := page.next_cursor) is None:
            return found


async def test_conversations_and_documents_are_resources(
    server: Server, manager: Rest, manager_token: str, client: str
) -> None:
    document = {"title": "Refunds", "text": "We pay within 14 days."}
    added = (await manager.post("/api/agents/acme-agent/documents", document)).json()["id"]
    async with opened(server.url, manager_token, client) as mcp:
        said = (await mcp.call_tool(TOOL, {"message": WORDS})).structured_content
        templates = await mcp.list_resource_templates()
        assert len(templates.resource_templates) == 2
        resources = await listed(mcp)
        (talk,) = [uri for uri in resources if uri.endswith(said["conversationId"])]
        (read,) = (await mcp.read_resource(talk)).contents
        assert TEXT.strip() in read.text and read.mime_type == "text/markdown"
        paper = f"clawsite://documents/{added}"
        assert resources[paper] == "Refunds"
        async with asyncio.timeout(60):  # it is indexed meanwhile
            while not (await mcp.read_resource(paper)).contents[0].text:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert "14 days" in (await mcp.read_resource(paper)).contents[0].text
    async with opened(server.url, server.keys.acme, client) as mcp:  # it may read no documents
        assert talk in await listed(mcp)
        with pytest.raises(MCPError):
            await mcp.read_resource(paper)
    async with opened(server.url, server.keys.globex, client) as mcp:
        assert talk not in await listed(mcp)
        for uri in (talk, paper, "clawsite://nothing/1", "file:///etc/passwd"):
            with pytest.raises(MCPError) as raised:
                await mcp.read_resource(uri)
            assert raised.value.error.code == -32602
        with pytest.raises(MCPError):
            await mcp.list_resources(cursor="nonsense")
