"""`conversations.transports.sse.command_center`: the state, and then what happens."""

import pytest

from agents.auth import keys
from agents.models import Agent
from tests.asgi import Response, ask
from tests.conversations.parts import QUICK

pytestmark = pytest.mark.usefixtures("services")

STATE, STREAM = "/api/command-center/state", "/api/command-center/stream"
WATCHING = ["chat", "monitor:read"]


@pytest.fixture
def watcher(agent: Agent) -> str:
    """A key of acme that watches."""
    return keys.create_key(agent.organization, name="watcher", scopes=WATCHING)[1]


async def test_a_watcher_sees_a_run_begin_and_end(watcher) -> None:
    async with Response("GET", STREAM, token=watcher) as watching:
        await watching.until(lambda: watching.sent and watching.text)
        assert (await ask("POST", "/a/helper/api/chat", {"message": QUICK}, token=watcher))[
            0
        ] == 200
        await watching.saw("run:started")
        await watching.saw("run:completed")
    assert watching.status == 200


@pytest.fixture
def other(foreign_agent: Agent) -> str:
    """A key of globex that watches."""
    return keys.create_key(foreign_agent.organization, name="other", scopes=WATCHING)[1]


async def test_p24_a_watcher_sees_nothing_of_others(watcher, other) -> None:
    async with Response("GET", STREAM, token=other) as watching:
        await watching.until(lambda: watching.sent and watching.text)
        _, mine = await ask("POST", "/a/helper/api/chat", {"message": QUICK}, token=watcher)
        _, theirs = await ask("POST", "/a/spy/api/chat", {"message": QUICK}, token=other)
        await watching.saw("run:completed")
    assert theirs["runId"] in watching.text and mine["runId"] not in watching.text


async def test_only_the_named_types_come(watcher) -> None:
    path = f"{STREAM}?eventTypes=run:completed"
    async with Response("GET", path, token=watcher) as watching:
        await watching.until(lambda: watching.sent and watching.text)
        await ask("POST", "/a/helper/api/chat", {"message": QUICK}, token=watcher)
        await watching.saw("run:completed")
    assert "run:started" not in watching.text


async def test_the_state_and_the_last_hour(watcher) -> None:
    assert (await ask("GET", STATE, token=watcher))[0] == 200
    status, told = await ask("GET", "/api/command-center/minutes", token=watcher)
    assert status == 200 and isinstance(told["minutes"], list)


@pytest.mark.parametrize("path", [STATE, STREAM, "/api/command-center/minutes"])
async def test_a_key_without_the_scope_sees_nothing(key, path) -> None:
    status, told = await ask("GET", path, token=key[1])
    assert (status, told["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("eventTypes=run:danced", 400, "invalid_message"),
        ("agentIds=missing", 404, "agent_not_found"),
        ("agentIds=spy", 404, "agent_not_found"),
        (f"agentIds={',' * 100}", 400, "invalid_message"),
    ],
)
async def test_a_view_of_nothing_is_refused(watcher, foreign_agent, query, status, code) -> None:
    answer = await ask("GET", f"{STATE}?{query}", token=watcher)
    assert (answer[0], answer[1]["error"]["code"]) == (status, code)
