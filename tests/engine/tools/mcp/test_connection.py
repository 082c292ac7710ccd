"""`engine.tools.mcp.connection`: servers that nobody here wrote, as programs and over HTTP."""

import asyncio
import json
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.tools.mcp.base import Command, Endpoint, ServerFailed
from engine.tools.mcp.results import plain_result
from engine.tools.mcp.server import Server
from tests.engine.tools.mcp.scripted import GUARD

pytestmark = pytest.mark.process

EVERYTHING = (
    Path(__file__).parents[3] / "node_modules/@modelcontextprotocol/server-everything/dist/index.js"
)
TIME = Command(command=sys.executable, args=("-m", "mcp_server_time"))
FETCH = Command(command="unshare", args=("-rn", sys.executable, "-m", "mcp_server_fetch"))
"""In a network of its own, in which there is nothing."""


@asynccontextmanager
async def reached(at: str | Command) -> AsyncIterator[Server]:
    async def find() -> Endpoint:
        return Endpoint(name="real", at=at)

    server = Server(find, GUARD)
    try:
        yield server
    finally:
        await server.aclose()


async def call(server: Server, name: str, **args: Any) -> Any:
    return plain_result(await server.call(name, args, lambda *_: None))


def children() -> set[int]:
    """The processes that we have started and that have not ended."""
    listed = Path("/proc/self/task").glob("*/children")
    return {int(pid) for path in listed for pid in path.read_text().split()}


async def test_p31_a_program_ends_with_its_connection() -> None:
    before = children()
    async with reached(TIME) as server:
        tools = {tool.name: tool for tool in await server.tools()}
        assert not tools["get_current_time"].may_change_things
        said = await call(server, "get_current_time", timezone="Europe/Paris")
        assert said["timezone"] == "Europe/Paris"
        assert children() > before
    assert children() == before


async def test_a_program_that_dies_is_started_again() -> None:
    before = children()
    async with reached(TIME) as server:
        await server.tools()
        (pid,) = children() - before
        os.kill(pid, 9)
        # A call that is on its way when it dies may have run, so it is not made again.
        await asyncio.gather(call(server, "get_current_time"), return_exceptions=True)
        assert await call(server, "get_current_time", timezone="UTC")
        assert pid not in children()


async def test_a_change_of_the_tools_is_heard_from_a_server_without_sessions() -> None:
    changing = Command(command=sys.executable, args=(str(Path(__file__).with_name("changing.py")),))
    async with reached(changing) as server:
        assert await server.protocol_version() >= "2026"
        assert [tool.name for tool in await server.tools()] == ["change"]
        assert await call(server, "change") == "changed"
        async with asyncio.timeout(5):
            while [tool.name for tool in await server.tools()] != ["change", "new"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # it has no event for us


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not there")
async def test_the_fetch_server_works() -> None:
    async with reached(FETCH) as server:
        assert [tool.name for tool in await server.tools()] == ["fetch"]
        result = await server.call("fetch", {"url": "http://127.0.0.1:9/"}, lambda *_: None)
        assert result["isError"]


@pytest.mark.parametrize(
    "command",
    [Command(command="/nowhere/at/all"), Command(command=sys.executable, args=("-c", ""))],
)
async def test_a_program_that_cannot_work_is_said_to_be_away(command: Command) -> None:
    async with reached(command) as server:
        with pytest.raises(ServerFailed, match="“real”"):
            await server.tools()


@pytest.fixture(params=["stdio", "http"])
async def everything(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """`server-everything`, as a program and over HTTP."""
    command = Command(command="node", args=(str(EVERYTHING), "stdio"), env=(("GIVEN", "this"),))
    if request.param == "stdio":
        async with reached(command) as server:
            yield server
        return
    async with serving_everything() as url, reached(url) as server:
        yield server


@asynccontextmanager
async def serving_everything() -> AsyncIterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *("node", str(EVERYTHING), "streamableHttp"),
        env={"PATH": os.environ["PATH"], "PORT": str(port)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        await asyncio.wait_for(process.stderr.readuntil(b"listening"), 20)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        await process.communicate()


@pytest.mark.node
async def test_it_works(everything: Server) -> None:
    assert await call(everything, "echo", message="hello") == "Echo: hello"
    weather = await call(everything, "get-structured-content", location="New York")
    assert weather["conditions"] == "Cloudy"
    links = (await call(everything, "get-resource-links", count=2))["content"]
    assert links[1]["type"] == "resource_link" and links[1]["uri"].startswith("demo://")
    _, image, _ = (await call(everything, "get-tiny-image"))["content"]
    assert image == {"type": "image", "mimeType": "image/png", "bytes": 4035}
    unknown = await everything.call("no-such-tool", {}, lambda *_: None)
    assert unknown["isError"]


@pytest.mark.node
async def test_its_progress_is_heard_and_a_cancel_ends_the_call(everything: Server) -> None:
    said: list[tuple[float, float | None]] = []
    heard = asyncio.Event()

    def note(progress: float, total: float | None, message: str | None) -> None:
        said.append((progress, total))
        heard.set()

    args = {"duration": 20, "steps": 400}
    long = asyncio.create_task(everything.call("trigger-long-running-operation", args, note))
    await asyncio.wait_for(heard.wait(), 10)
    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(long, 5)
    assert said[0] == (1, 400)
    assert await call(everything, "echo", message="after") == "Echo: after"


@pytest.mark.node
@pytest.mark.parametrize("everything", ["stdio"], indirect=True)
async def test_p31_a_program_knows_none_of_our_secrets(
    everything: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SECRET_KEY", "ANTHROPIC_API_KEY", "DATABASE_URL", "CLAW_ENCRYPTION_KEYS"):
        monkeypatch.setenv(name, "hush")
    environment = json.loads(await call(everything, "get-env"))
    assert environment["GIVEN"] == "this"
    assert {*environment} <= {"GIVEN", "PATH", "HOME", "LOGNAME", "SHELL", "TERM", "USER"}
