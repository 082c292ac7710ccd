"""A hundred cuts at random places, in every protocol that comes back."""

import itertools
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import httpx
import httpx2
import pytest
from clawsite_client import AsyncClient
from clawsite_client.exchange import Transport

from tests.live.clients import TIMEOUT
from tests.live.facades.test_together import text_of
from tests.live.proxy import breaking_network
from tests.live.raw import new_tag
from tests.live.server import Server

pytestmark = pytest.mark.scaled

CUTS = 100
TOKENS = 1500
ASKED = f"Hello [[upstream tokens={TOKENS} delay=2]]"
LONG = "Hello [[upstream tokens=20000 delay=10]]"
TEXT = "".join(f"w{i} " for i in range(TOKENS))


@pytest.fixture
async def client(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {server.keys.acme}"}
    async with httpx.AsyncClient(
        base_url=server.url, headers=headers, timeout=TIMEOUT, trust_env=False
    ) as client:
        yield client


async def events(client: httpx.AsyncClient, *request: Any, **options: Any) -> AsyncIterator[Any]:
    """The events of a stream, until it ends or is left."""
    async with client.stream(*request, **options) as answer:
        assert answer.status_code == 200, await answer.aread()
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                yield json.loads(line.removeprefix("data: "))


async def some(stream: AsyncIterator[Any], count: int) -> list[Any]:
    """The first events of a stream, which is cut then."""
    found = []
    async with aclosing(stream):  # type: ignore[type-var]
        async for event in stream:
            found.append(event)
            if len(found) == count:
                break
    return found


async def in_pieces(follow: Callable[[list[Any]], AsyncIterator[Any]], last: str) -> list[Any]:
    """All events, each piece after a cut; `follow` goes on behind what there is."""
    dice, found = random.Random(7), list[Any]()
    for cut in itertools.count(1):
        count = dice.randint(1, TOKENS // CUTS) if cut <= CUTS else -1
        found += await some(follow(found), count)
        if found[-1]["type"] == last:
            assert cut > CUTS
            return found
    raise AssertionError


async def test_native_events_go_on_behind_each_cut(client: httpx.AsyncClient) -> None:
    asked = {"message": ASKED, "clientMessageId": new_tag()}

    def follow(found: list[Any]) -> AsyncIterator[Any]:
        position = f"{found[-1]['runId']}:{found[-1]['seq']}" if found else ""
        headers = {"Last-Event-ID": position} if position else {}
        return events(client, "POST", "/api/chat/stream", json=asked, headers=headers)

    found = await in_pieces(follow, "done")
    assert text_of(found) == TEXT
    positions = [event["seq"] for event in found]
    assert positions == sorted(set(positions))


async def test_a_response_goes_on_behind_each_cut(client: httpx.AsyncClient) -> None:
    asked = {"model": "acme-agent", "input": ASKED, "background": True}
    name = (await client.post("/v1/responses", json=asked)).json()["id"]

    def follow(found: list[Any]) -> AsyncIterator[Any]:
        known = found[-1]["sequence_number"] if found else -1
        after = {"starting_after": str(known)} if found else {}
        return events(client, "GET", f"/v1/responses/{name}", params={"stream": "true", **after})

    found = await in_pieces(follow, "response.completed")
    assert text_of(found) == TEXT
    assert [event["sequence_number"] for event in found] == list(range(len(found)))


async def test_an_ag_ui_run_is_told_again_from_its_beginning(client: httpx.AsyncClient) -> None:
    messages = [{"id": "1", "role": "user", "content": ASKED}]
    body = {"threadId": new_tag(), "runId": new_tag(), "messages": messages}
    dice, pieces = random.Random(7), list[list[Any]]()
    for _ in range(CUTS):
        stream = events(client, "POST", "/api/ag-ui", json=body)
        pieces.append(await some(stream, dice.randint(1, TOKENS)))
    whole = await some(events(client, "POST", "/api/ag-ui", json=body), -1)
    assert text_of(whole) == TEXT and whole[-1]["type"] == "RUN_FINISHED"
    assert all(piece == whole[: len(piece)] for piece in pieces)


async def test_a_chat_of_the_ai_sdk_is_told_again_from_its_beginning(
    client: httpx.AsyncClient,
) -> None:
    """While its answer is produced, which is stopped after the last cut."""
    name, dice = new_tag(), random.Random(7)
    message = {"id": "1", "role": "user", "parts": [{"type": "text", "text": LONG}]}
    asked = {"id": name, "model": "acme-agent", "message": message}
    pieces = [await some(events(client, "POST", "/api/ai-sdk/chat", json=asked), 1)]
    path = f"/api/ai-sdk/chat/{name}"
    for _ in range(CUTS):
        stream = events(client, "GET", f"{path}/stream")
        pieces.append(await some(stream, dice.randint(1, 20)))
    await client.post(f"{path}/stop")
    longest = max(pieces, key=len)
    assert "".join(f"w{i} " for i in range(20)).startswith(text_of(longest))
    assert all(piece == longest[: len(piece)] for piece in pieces)


@pytest.mark.parametrize("transport", ["sse", "websocket"])
async def test_the_python_client_lives_through_each_cut(
    server: Server, transport: Transport
) -> None:
    dice = random.Random(7)
    cuts = [dice.randint(200, 2000) for _ in range(CUTS)]
    async with (
        breaking_network(server.port, cuts) as port,
        httpx2.AsyncClient(trust_env=False, timeout=TIMEOUT) as http,
        AsyncClient(
            f"http://127.0.0.1:{port}",
            server.keys.acme,
            http=http,
            transport=transport,
            retries=20,
        ) as python,
    ):
        found = [event async for event in python.chat.stream(ASKED)]
    assert text_of(found) == TEXT
