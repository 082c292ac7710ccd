"""`memories.api.views`: what an organisation sees and deletes of its agents' memories, in the
application as a whole."""

from typing import Any

import pytest

from agents.auth import keys
from agents.models import Agent
from core.database import database_step
from memories import access
from memories.access import Owner
from tests.asgi import ask
from tests.conversations.parts import QUICK
from tests.conversations.transports.rights import SHOP, session_of

pytestmark = pytest.mark.usefixtures("services")

ADA, BOB = "user:ada", "anon:bob"
OWN = "/a/helper/api/memories"


@pytest.fixture
def agent(agent: Agent) -> Agent:
    agent.allowed_origins = [SHOP]
    agent.save()
    return agent


@pytest.fixture
def token(agent: Agent) -> str:
    """A key that configures the agent."""
    scopes = ["chat", "agents:read", "agents:write"]
    return keys.create_key(agent.organization, name="m", agents=[agent], scopes=scopes)[1]


@pytest.fixture
async def remembered(agent: Agent) -> dict[str, str]:
    """The ids of one memory of each visitor."""
    owners = {ADA: "user:ada", BOB: "visitor:bob"}
    return {
        visitor: (
            await database_step(access.save, Owner(agent.id, owner), "colour", f"of {visitor}")
        ).id
        for visitor, owner in owners.items()
    }


async def listed(token: str, visitor: str) -> list[dict[str, Any]]:
    status, page = await ask("GET", f"/api/agents/helper/memories?visitor={visitor}", token=token)
    assert status == 200
    return list(page["memories"])


async def test_it_works(token: str, remembered: dict[str, str]) -> None:
    (memory,) = await listed(token, ADA)
    assert memory | {"createdAt": ""} == {
        "id": remembered[ADA],
        "visitor": ADA,
        "key": "colour",
        "content": "of user:ada",
        "createdAt": "",
    }
    status, _ = await ask("DELETE", f"/api/agents/helper/memories/{memory['id']}", token=token)
    assert (status, await listed(token, ADA)) == (204, [])
    assert len(await listed(token, BOB)) == 1


async def test_one_visitor_is_forgotten_and_not_the_other(token, remembered) -> None:
    status, _ = await ask("DELETE", f"/api/agents/helper/memories?visitor={BOB}", token=token)
    assert status == 204
    assert [await listed(token, BOB), len(await listed(token, ADA))] == [[], 1]


@pytest.mark.parametrize("query", ["", "?visitor=", "?visitor=%00"])
async def test_nobody_is_not_everybody(token: str, remembered, query: str) -> None:
    for method in ("GET", "DELETE"):
        status, answer = await ask(method, f"/api/agents/helper/memories{query}", token=token)
        assert (status, answer["error"]["details"]) == (400, {"field": "visitor"})
    assert len(await listed(token, ADA)) == 1


async def test_a_stranger_finds_nothing(foreign_key, remembered, foreign_agent) -> None:
    path = f"/api/agents/{foreign_agent.id}/memories"
    _, token = await database_step(
        lambda: keys.create_key(
            foreign_agent.organization,
            name="m",
            agents=[foreign_agent],
            scopes=["agents:read", "agents:write"],
        )
    )
    status, answer = await ask("DELETE", f"{path}/{remembered[ADA]}", token=token)
    assert (status, answer["error"]["code"]) == (404, "not_found")
    status, page = await ask("GET", f"{path}?visitor={ADA}", token=token)
    assert (status, page["memories"]) == (200, [])


async def test_a_visitor_and_a_key_to_chat_may_not(key, agent, remembered) -> None:
    visitor = await session_of(agent)
    for token, origin in ((key[1], None), (visitor, SHOP)):
        headers = {"origin": origin} if origin else {}
        for method in ("GET", "DELETE"):
            path = f"/api/agents/helper/memories?visitor={ADA}"
            status, _ = await ask(method, path, token=token, **headers)
            assert status == 403


async def test_p39_all_of_a_visitor_is_erased(token: str, agent: Agent, remembered) -> None:
    visitor = await session_of(agent)
    for _ in range(2):
        await ask("POST", "/a/helper/api/chat", {"message": QUICK}, token=visitor, origin=SHOP)
    status, _ = await ask("DELETE", f"/api/agents/helper/visitors/{ADA}", token=token)
    assert (status, await listed(token, ADA)) == (204, [])
    status, page = await ask("GET", "/a/helper/api/conversations", token=visitor, origin=SHOP)
    assert page["conversations"] == []
    assert len(await listed(token, BOB)) == 1
    status, _ = await ask("DELETE", f"/api/agents/helper/visitors/{ADA}", token=token)
    assert status == 204


async def test_b4_a_visitor_sees_and_takes_back_its_own(
    agent: Agent, token: str, remembered: dict[str, str]
) -> None:
    """And nothing of another visitor; a key has none."""
    session = await session_of(agent)
    await database_step(access.save, Owner(agent.id, ADA), "size", "Large")
    status, page = await ask("GET", OWN, token=session, origin=SHOP)
    assert (status, [row["key"] for row in page["memories"]]) == (200, ["size", "colour"])
    assert {row["visitor"] for row in page["memories"]} == {ADA}
    first, theirs = page["memories"][0]["id"], remembered[BOB]
    for id, expected in ((theirs, 404), (first, 204), (first, 404)):
        status, _ = await ask("DELETE", f"{OWN}/{id}", token=session, origin=SHOP)
        assert status == expected
    status, _ = await ask("DELETE", OWN, token=session, origin=SHOP)
    _, page = await ask("GET", OWN, token=session, origin=SHOP)
    assert (status, page["memories"], len(await listed(token, BOB))) == (204, [], 1)
    _, page = await ask("GET", OWN, token=token)
    assert page["memories"] == []
