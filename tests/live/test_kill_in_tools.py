"""kill -9 while a tool runs, and between a tool and the model, in one process and scaled out: no
call is made twice, and the model is told of one of which nobody knows whether it ran."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.continuation import LOST
from tests.live.clients import Event, Rest, Sse, WebSocket
from tests.live.installation import Installation
from tests.live.scaled.stack import Stack
from tests.live.server import Server
from tests.live.test_management import manager


class Calls:
    """The calls of the tool, which notes them in a file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        file.touch()

    @property
    def count(self) -> int:
        return len(self.file.read_text().splitlines())

    async def begun(self) -> None:
        """Wait until one has begun."""
        async with asyncio.timeout(20):
            while not self.count:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.01)


@pytest.fixture
def calls(tmp_path: Path) -> Calls:
    return Calls(tmp_path / "calls")


@pytest.fixture
def server(installation: Installation, tmp_path: Path, calls: Calls) -> Iterator[Server | Stack]:
    settings = {
        "DJANGO_SETTINGS_MODULE": "tests.live.tool_settings",
        "TEST_CALLS": str(calls.file),
        "CLAW_RUN_LEASE": "2",
    }
    with installation.deployed(tmp_path, **settings) as server:
        yield server.start()


async def cut(
    server: Server | Stack, calls: Calls, line: str, after: str, on_crash: str = "continue"
) -> list[Event]:
    """Ask for a call; when it has begun, kill everything after the first event of this type, and
    start it again. All events of the run."""
    key = manager(server, "acme", "chat,conversations:read,agents:write")
    fields = {"provider": "demo", "onCrash": on_crash, "tools": [{"builtin": "count"}]}
    async with Rest(server.url, key) as rest:
        changed = await rest.request("PATCH", "/api/agents/acme-agent", json=fields)
        assert changed.status_code == 200, changed.text
    async with await WebSocket.open(server.ws_url, key) as ws:
        await ws.send(type="message", content=line)
        run = (await ws.until(after))["runId"]
        await calls.begun()
        server.kill()
    server.start()
    url = f"{server.url}/api/runs/{run}/events"
    async with await Sse.open(url, key, method="GET") as stream:
        return await stream.read()


def the(events: list[Event], type_: str) -> Event:
    (found,) = [event for event in events if event["type"] == type_]
    return found


async def test_while_a_tool_runs(server: Server | Stack, calls: Calls) -> None:
    line = '/tool count {"hang": true}\n/delay 0'
    events = await cut(server, calls, line, "tool_call")
    result = the(events, "tool_result")
    assert (result["result"], result["isError"]) == (LOST, True)
    assert LOST in the(events, "message_complete")["content"]
    assert calls.count == 1


async def test_between_a_tool_and_the_model(server: Server | Stack, calls: Calls) -> None:
    events = await cut(server, calls, "/tool count\n/delay 500", "tool_result")
    assert the(events, "tool_result")["result"] == 1
    assert "`count` answered" in the(events, "message_complete")["content"]
    assert calls.count == 1


async def test_an_agent_that_does_not_go_on_says_so(server: Server | Stack, calls: Calls) -> None:
    events = await cut(server, calls, '/tool count {"hang": true}\n/delay 0', "tool_call", "fail")
    assert the(events, "error")["code"] == "run_interrupted"
    assert events[-1]["reason"] == "interrupted"
    assert calls.count == 1
