"""Budgets over the API: set, kept under a crowd, and what is left."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import pytest

from tests.live.belongings import master_key
from tests.live.clients import Rest, Sse
from tests.live.server import Server


@dataclass
class Shop:
    """An organisation of its own, with an agent that is answered by the model server."""

    key: str
    rest: Rest
    agent: str = ""


@pytest.fixture
async def shop(server: Server) -> AsyncIterator[Shop]:
    name = f"org-{uuid4().hex[:8]}"
    server.manage("create_org", name)
    key = master_key(server, name)
    async with Rest(server.url, key) as client:
        fields = {"name": "Helper", "provider": "anthropic", "maxTokens": 100}
        yield Shop(key, client, (await client.post("/api/agents", fields)).json()["id"])


def message(tokens: int) -> dict[str, str]:
    return {"message": f"go [[upstream tokens={tokens}]]"}


async def test_it_works(shop: Shop) -> None:
    rest = shop.rest
    fields = {"scope": "agent", "targetId": shop.agent, "tokens": 100_000, "period": "day"}
    made = await rest.post("/api/budgets", fields)
    assert made.status_code == 201
    answer = (await rest.post("/api/chat", message(5))).json()
    found = (await rest.get("/api/budgets")).json()["budgets"]
    assert [(each["id"], each["spent"], each["reserved"]) for each in found] == [
        (made.json()["id"], answer["usage"]["totalTokens"], 0)
    ]
    path = f"/api/budgets/{made.json()['id']}"
    used = answer["usage"]["totalTokens"]
    changed = (await rest.request("PATCH", path, json={"tokens": used})).json()
    assert (changed["remaining"], changed["soft"]) == (0, True)
    refused = await rest.post("/api/chat", message(5))
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "budget_exceeded")
    await rest.request("DELETE", path)
    assert (await rest.post("/api/chat", message(5))).status_code == 200


async def test_p12_of_fifty_at_once_eleven_at_most_are_served(shop: Shop) -> None:
    """A budget for ten answers of 40 tokens."""
    rest = shop.rest
    used = (await rest.post("/api/chat", message(40))).json()["usage"]["totalTokens"]
    await rest.post("/api/budgets", {"scope": "organization", "tokens": 11 * used, "period": "day"})
    answers = await asyncio.gather(*(rest.post("/api/chat", message(40)) for _ in range(50)))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {200, 402}
    assert 1 <= statuses.count(200) <= 11
    (left,) = (await rest.get("/api/budgets")).json()["budgets"]
    assert left["spent"] <= 12 * used and left["reserved"] == 0


async def test_p12_an_answer_that_uses_up_its_budget_is_cut_and_keeps_its_text(
    server: Server, shop: Shop
) -> None:
    rest = shop.rest
    used = (await rest.post("/api/chat", message(1))).json()["usage"]["totalTokens"]
    await rest.post("/api/budgets", {"scope": "organization", "tokens": 2 * used + 30})
    await rest.request("PATCH", f"/api/agents/{shop.agent}", json={"maxTokens": 4000})
    url, body = f"{server.url}/api/chat/stream", message(3000)
    async with await Sse.open(url, shop.key, body=body) as stream:
        events = await stream.read()
    assert events[-1]["reason"] == "budget_exceeded"
    error = next(event for event in events if event["type"] == "error")
    assert error["code"] == "budget_exceeded" and error["content"]
    history = await rest.messages(events[-1]["conversationId"])
    assert history[-1]["content"] == error["content"]
    assert history[-1]["usage"]["source"] == "estimated"
