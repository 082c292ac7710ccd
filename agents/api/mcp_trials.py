"""`/api/mcp-servers/{id}/test` and `/call`: what a server does, tried before an agent uses it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from django.conf import settings
from django.http import HttpRequest

from agents.api.mcp_servers import check_scope
from agents.caller import Caller
from agents.outbound import access
from agents.outbound.mcp import endpoint_finder
from core.database import database_step
from core.http import Answer, read
from engine.errors import Unavailable
from engine.http.guard import Guard
from engine.tools.mcp.base import ServerFailed
from engine.tools.mcp.results import plain_result
from engine.tools.mcp.server import Server
from engine.tools.results import bounded
from wire.objects import management

MAX_TRIALS = 10
"""At once: each has a connection or a program of its own."""
TEST_SECONDS = 30.0

_call = msgspec.json.Decoder(management.McpCall)
_trials: set[object] = set()


async def test(request: HttpRequest, caller: Caller, server_id: str) -> Answer:
    """`POST /api/mcp-servers/{id}/test`: connects anew and lists the tools."""
    await database_step(_check, caller, server_id)
    try:
        async with _trial(caller, server_id) as server, asyncio.timeout(TEST_SECONDS):
            version, tools = await server.protocol_version(), await server.tools()
    except ServerFailed as failed:
        problem = str(failed)
    except TimeoutError:
        problem = f"The server did not answer within {TEST_SECONDS:g} seconds."
    else:
        shown = [management.McpTool(**msgspec.structs.asdict(tool)) for tool in tools]
        return Answer(management.McpTest(ok=True, protocol_version=version, tools=shown))
    return Answer(management.McpTest(ok=False, protocol_version=None, tools=[], error=problem))


async def call(request: HttpRequest, caller: Caller, server_id: str) -> Answer:
    """`POST /api/mcp-servers/{id}/call`: calls a tool once, without any approval."""
    await database_step(_check, caller, server_id)
    body = read(_call, request)
    begun = time.monotonic()
    try:
        async with _trial(caller, server_id) as server:
            found = await server.call(body.tool, body.args, lambda *_: None)
        result, is_error = plain_result(found), bool(found.get("isError"))
    except ServerFailed as failed:
        result, is_error = str(failed), True
    outcome = management.McpOutcome(
        result=bounded(result, settings.CLAW_TOOL_RESULT_BYTES),
        is_error=is_error,
        duration_ms=round((time.monotonic() - begun) * 1000),
    )
    return Answer(outcome)


def _check(caller: Caller, server_id: str) -> None:
    check_scope(caller, "agents:write")
    access.mcp_server(caller, server_id)


@asynccontextmanager
async def _trial(caller: Caller, server_id: str) -> AsyncIterator[Server]:
    """The server, with a connection of its own. Raises `Unavailable`."""
    if len(_trials) >= MAX_TRIALS:
        raise Unavailable("Too many MCP servers are being tried. Try again in a moment.")
    guard = Guard(settings.CLAW_ALLOW_PRIVATE_NETWORKS)
    server = Server(endpoint_finder(caller.principal.organization_id, server_id), guard)
    _trials.add(server)
    try:
        yield server
    finally:
        _trials.discard(server)
        await server.aclose()
