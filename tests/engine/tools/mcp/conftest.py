"""The servers of these tests."""

from collections.abc import AsyncIterator

import pytest

from engine.tools.mcp.server import Server
from tests.engine.tools.mcp.scripted import ScriptedServer, connected, scripted


@pytest.fixture
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    async with scripted() as server:
        yield server


@pytest.fixture
async def client(scripted_server: ScriptedServer) -> AsyncIterator[Server]:
    async with connected(scripted_server) as client:
        yield client
