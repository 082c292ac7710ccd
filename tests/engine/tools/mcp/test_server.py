"""`engine.tools.mcp.server`: what a server does, and what becomes of it, at each call."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from engine.tools.mcp.base import ServerFailed
from engine.tools.mcp.form import Form
from engine.tools.mcp.results import plain_result
from engine.tools.mcp.server import Server
from tests.engine.tools.mcp.scripted import TWO_FIELDS, ScriptedServer, connected, tool


def ignore(progress: float, total: float | None, message: str | None) -> None:
    """Nobody watches."""


async def call(client: Server, name: str, **args: Any) -> Any:
    return plain_result(await client.call(name, args, ignore))


async def test_it_works(client: Server, scripted_server: ScriptedServer) -> None:
    assert await call(client, "echo", text="hello") == "hello"
    assert [tool.name for tool in await client.tools()][:2] == ["echo", "fail"]
    assert await client.protocol_version() == "2025-11-25"
    await client.tools()
    assert scripted_server.requests["tools/list"] == 1  # the list is kept


async def test_a_list_comes_in_pages(client: Server, scripted_server: ScriptedServer) -> None:
    scripted_server.page = 3
    assert len(await client.tools()) == len(scripted_server.tools)


async def test_a_list_without_end_is_cut(
    client: Server, scripted_server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted_server.tools = [tool(f"t{n}") for n in range(1000)]
    scripted_server.page = 1
    assert len(await client.tools()) == scripted_server.requests["tools/list"] < 100


async def test_a_change_of_the_tools_is_heard(
    client: Server, scripted_server: ScriptedServer
) -> None:
    await client.tools()
    scripted_server.tools = [tool("new")]
    scripted_server.say_changed()
    async with asyncio.timeout(5):
        while [tool.name for tool in await client.tools()] != ["new"]:  # noqa: ASYNC110
            await asyncio.sleep(0)  # it has no event for us


@pytest.mark.parametrize("ending", ["session", "token"])
async def test_b3_calls_share_one_recovery(ending: str, scripted_server: ScriptedServer) -> None:
    scripted_server.token = "Bearer one"
    async with connected(scripted_server) as client:
        await call(client, "echo", text="before")
        if ending == "session":
            scripted_server.sessions.clear()
        else:
            scripted_server.token = "Bearer two"
        said = await asyncio.gather(*(call(client, "echo", text=str(n)) for n in range(5)))
        assert said == ["0", "1", "2", "3", "4"]
    assert scripted_server.ran["echo"] == 6
    assert scripted_server.requests["initialize"] == 2


@pytest.mark.parametrize("code", [401, 404])
async def test_b3_a_call_is_made_again_only_once(
    code: int, client: Server, scripted_server: ScriptedServer
) -> None:
    await client.tools()
    scripted_server.refusal = code
    with pytest.raises(ServerFailed, match=str(code)):
        await call(client, "echo")
    assert scripted_server.requests["tools/call"] == 2


@pytest.mark.parametrize("code", [307, 400, 403, 429, 500])
async def test_another_refusal_is_the_end(
    code: int, client: Server, scripted_server: ScriptedServer
) -> None:
    scripted_server.refusal = code
    with pytest.raises(ServerFailed, match=str(code)):
        await call(client, "echo")
    assert scripted_server.requests["tools/call"] == 1


async def test_a_call_that_runs_outlives_the_recovery_of_others(
    client: Server, scripted_server: ScriptedServer
) -> None:
    slow = asyncio.create_task(call(client, "slow"))
    await scripted_server.began.wait()
    scripted_server.sessions.clear()
    assert await call(client, "echo", text="a") == "a"
    scripted_server.release.set()
    assert await slow == "late"


async def test_a_call_that_was_cut_is_not_made_again(
    client: Server, scripted_server: ScriptedServer
) -> None:
    slow = asyncio.create_task(call(client, "slow"))
    await scripted_server.began.wait()
    with pytest.raises(ServerFailed, match="may have run"):
        await call(client, "die")
    assert scripted_server.ran["die"] == 1
    scripted_server.release.set()
    assert await slow == "late"  # the failure is of one call alone
    assert await call(client, "echo", text="b") == "b"


async def test_b3_a_call_that_takes_too_long_is_not_made_again(
    scripted_server: ScriptedServer,
) -> None:
    async with connected(scripted_server, timeout=1) as client:
        with pytest.raises(ServerFailed, match="in time"):
            await call(client, "slow")
        await scripted_server.cancelled.wait()
        assert scripted_server.ran["slow"] == 1
    scripted_server.release.set()


async def test_a_cancel_reaches_the_server(client: Server, scripted_server: ScriptedServer) -> None:
    slow = asyncio.create_task(call(client, "slow"))
    await scripted_server.began.wait()
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)
    await scripted_server.cancelled.wait()
    scripted_server.release.set()


@pytest.mark.parametrize("name", ["huge", "huge_event", "garbage", "odd"])
async def test_an_answer_of_no_use_fails_its_call_alone(
    name: str, client: Server, scripted_server: ScriptedServer
) -> None:
    with pytest.raises(ServerFailed):
        await call(client, name)
    assert scripted_server.ran[name] == 1
    assert await call(client, "echo", text="c") == "c"
    assert scripted_server.requests["initialize"] == 1


async def test_b3_a_server_that_is_away_is_said_to_be() -> None:
    server = ScriptedServer()
    server.url = "http://127.0.0.1:1/mcp"
    async with connected(server) as client:
        with pytest.raises(ServerFailed, match="cannot be reached"):
            await client.tools()


async def test_credentials_that_stay_wrong_are_one_more_try(
    scripted_server: ScriptedServer,
) -> None:
    scripted_server.token = "Bearer one"
    async with connected(scripted_server, headers=()) as client:
        with pytest.raises(ServerFailed, match="401"):
            await client.tools()
    assert scripted_server.requests["initialize"] == 1


ENUM = {"type": "object", "properties": {"size": {"type": "string", "enum": ["S", "L"]}}}


@pytest.mark.parametrize(
    ("form", "given", "sent"),
    [
        (TWO_FIELDS, '{"count": 2}', {"action": "accept", "content": {"size": "L", "count": 2}}),
        (ENUM, "S", {"action": "accept", "content": {"size": "S"}}),
        (TWO_FIELDS, None, {"action": "decline"}),
        ({"type": "object", "properties": {}}, "OK", {"action": "accept", "content": {}}),
    ],
)
async def test_what_a_server_asks_is_asked(
    scripted_server: ScriptedServer, form: Any, given: str | None, sent: Any
) -> None:
    scripted_server.form = form
    asked: list[Form] = []

    async def ask(form: Form) -> str | None:
        asked.append(form)
        return given

    async with connected(scripted_server) as client:
        await client.call("ask", {}, ignore, ask)
    assert scripted_server.answer == sent
    assert [question.text for question in asked] == ["Which one?"]


async def test_the_time_of_a_call_stands_still_while_its_server_asks(
    scripted_server: ScriptedServer,
) -> None:
    scripted_server.form = ENUM

    async def ask(form: Form) -> str:
        await asyncio.sleep(1.5)  # longer than the call may take
        return "S"

    async with connected(scripted_server, timeout=1) as client:
        await client.call("ask", {}, ignore, ask)
    assert scripted_server.answer == {"action": "accept", "content": {"size": "S"}}


async def test_nobody_is_asked_where_nobody_answers(scripted_server: ScriptedServer) -> None:
    async with connected(scripted_server) as client:
        await client.call("ask", {}, ignore)
    assert scripted_server.answer == {"action": "decline"}


FIRST_USE = """
import asyncio, sys, threading
from engine.tools.mcp.base import Endpoint, ServerFailed
from engine.tools.mcp.server import Server

class Noting:
    threads = set()
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "mcp":
            self.threads.add(threading.current_thread() is threading.main_thread())

sys.meta_path.insert(0, Noting())

async def find():
    return Endpoint(name="away", at="http://127.0.0.1:9/mcp")

async def main():
    try:
        await Server(find, None).tools()
    except ServerFailed:
        print(Noting.threads)

asyncio.run(main())
"""


@pytest.mark.process
def test_the_first_use_does_not_hold_up_the_loop_until_the_sdk_is_loaded() -> None:
    """It takes seconds on a busy machine."""
    run = subprocess.run([sys.executable, "-c", FIRST_USE], capture_output=True, text=True)
    assert run.stdout.strip() == "{False}", run.stderr
