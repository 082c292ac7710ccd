"""`conversations.transports.asking`: a client waits for the whole answer, or for a decision."""

import pytest

from agents.auth import keys
from tests.asgi import Response, ask
from tests.conversations.parts import ENDLESS, QUICK
from tests.conversations.transports.rights import API

pytestmark = pytest.mark.usefixtures("services", "agent")


@pytest.fixture
def watcher(acme) -> str:
    """A key of acme that watches."""
    return keys.create_key(acme, name="watcher", scopes=["monitor:read"])[1]


async def test_the_answer_is_given_when_it_is_done(key) -> None:
    status, told = await ask("POST", f"{API}/chat", {"message": QUICK}, token=key[1])
    assert (status, told["content"], told["usage"]["outputTokens"] > 0) == (
        200,
        "Hello there",
        True,
    )


async def test_a_failure_has_what_was_said_before_it(key) -> None:
    body = {"message": "/delay 1\n/fail"}
    status, told = await ask("POST", f"{API}/chat", body, token=key[1])
    assert (status, told["error"]["code"]) == (502, "upstream_error")
    assert told["error"]["details"]["content"]


async def test_a_client_that_leaves_stops_its_answer_if_it_says_so(key, watcher) -> None:
    body = {"message": ENDLESS, "onDisconnect": "cancel"}
    async with Response("GET", "/api/command-center/stream", token=watcher) as watching:
        async with Response("POST", f"{API}/chat", body, token=key[1]):
            await watching.saw("run:started")
        await watching.saw("run:completed")
    assert '"cancelled"' in watching.text
