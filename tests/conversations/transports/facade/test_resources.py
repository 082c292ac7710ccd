"""`conversations.transports.facade.resources`: what a client of the MCP server may read."""

from typing import Any

import pytest

from conversations.models import Conversation
from tests.asgi import ask
from tests.conversations.history.talks import talk

pytestmark = pytest.mark.usefixtures("services")

LEGACY = {"mcp-protocol-version": "2025-06-18"}


@pytest.fixture
def mine(agent) -> Conversation:
    """A conversation of acme's keys, beside one of a visitor."""
    talk(agent, "Where is my parcel?", title="Visitor's")
    return talk(agent, "Where is my order?", owner="keys", title="Mine")


async def says(token: str, method: str, **params: Any) -> dict[str, Any]:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    _, told = await ask("POST", "/mcp", body, token=token, **LEGACY)
    return dict(told)


async def test_one_s_own_conversations_are_listed_and_read(mine, key) -> None:
    listed = (await says(key[1], "resources/list"))["result"]
    (resource,) = listed["resources"]
    assert (resource["uri"], resource["name"]) == (f"clawsite://conversations/{mine.pk}", "Mine")
    read = (await says(key[1], "resources/read", uri=resource["uri"]))["result"]
    assert "Where is my order?" in read["contents"][0]["text"]


async def test_p24_what_is_not_yours_is_no_resource(mine, foreign_key) -> None:
    assert (await says(foreign_key[1], "resources/list"))["result"]["resources"] == []
    for name in (f"conversations/{mine.pk}", "conversations/missing", "moons/1"):
        told = await says(foreign_key[1], "resources/read", uri=f"clawsite://{name}")
        assert "error" in told and "order" not in str(told["error"])


async def test_a_made_up_cursor_is_refused(key) -> None:
    told = await says(key[1], "resources/list", cursor="moons:1")
    assert told["error"]["code"] == -32602
