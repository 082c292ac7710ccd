"""The client of static/claw, its tests in JavaScript (tests/live/claw) against a server."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.belongings import master_key
from tests.live.programs import node_test
from tests.live.server import Server

pytestmark = [pytest.mark.node, pytest.mark.timeout(240)]  # dozens of tests in each program

FOLDER = Path(__file__).parent / "claw"
RESTART = FOLDER / "restart.test.js"
PROGRAMS = sorted(set(FOLDER.glob("*.test.js")) - {RESTART})
SETTINGS = {"CLAW_MAX_CONNECTIONS_PER_AGENT": "500"}  # they come back faster than a drop is noticed
MANAGER = "chat,conversations:read,conversations:write,agents:write,keys:write,admin"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
async def test_it_works(server: Server, program: Path) -> None:
    """FULL=1: the numbers that take longer than `make test` may."""
    made = server.manage("create_api_key", "--agent", "acme-agent", "--scopes", MANAGER, "--json")
    await node_test(
        program,
        URL=f"{server.url}/a/acme-agent",
        API_KEY=server.keys.acme,
        MANAGER_KEY=json.loads(made)["apiKey"],
        ORGANIZATION_KEY=master_key(server, "acme"),
        FULL=os.environ.get("FULL", ""),
    )


async def test_a_restart_of_the_server_is_lived_through(make_server: Callable[..., Server]) -> None:
    """P8: `reconnect`, close 1012, and every token once."""
    server = make_server(CLAW_SHUTDOWN_GRACE="30")
    async with asyncio.TaskGroup() as group:
        group.create_task(
            node_test(
                RESTART,
                URL=f"{server.url}/a/acme-agent",
                API_KEY=server.keys.acme,
                SERVER_PID=str(server.pid),
            )
        )
        assert await asyncio.to_thread(server.wait) == 0
        await asyncio.to_thread(server.start)
