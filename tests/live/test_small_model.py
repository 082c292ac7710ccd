"""A real model answers through both provider families and every door, and stops when told to."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.live.clients import Event, Rest, Sse, WebSocket, text_of
from tests.live.server import Server, environment, install, manage
from tests.ports import free_port
from tests.small_model import SmallModel

pytestmark = [pytest.mark.scaled, pytest.mark.model, pytest.mark.embedded]

QUESTION = "What is the capital of France?"
FAMILIES = ("openai", "anthropic")
SLOT_FREE_SECONDS = 0.5

Ask = Callable[[Server, str, str], Awaitable[list[Event]]]


@pytest.fixture(scope="module")
def model() -> Iterator[SmallModel]:
    with SmallModel(free_port()) as model:
        yield model


@pytest.fixture(scope="module")
def server(model: SmallModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    settings = {"OPENAI_BASE_URL": f"{model.url}/v1", "CLAW_PROVIDER_IDLE_TIMEOUT": "60"}
    env = environment(folder / "db.sqlite3", model.url, **settings)
    server = Server(env, folder, install(env))
    try:
        yield server.start()
    finally:
        server.kill()


@pytest.fixture(scope="module")
def keys(server: Server) -> dict[str, str]:
    """A key for an agent of each family."""
    return {family: _agent(server, family) for family in FAMILIES}


def _agent(server: Server, family: str) -> str:
    options = ["--org", "acme", "--slug", family, "--provider", family, "--model", "smollm2"]
    manage(server.env, "create_agent", *options, "--system", "You answer in one sentence.")
    made = manage(server.env, "create_api_key", "--agent", family, "--json")
    return str(json.loads(made)["apiKey"])


async def over_websocket(server: Server, key: str, question: str) -> list[Event]:
    async with await WebSocket.open(server.ws_url, key) as socket:
        return await socket.ask(question)


async def over_sse(server: Server, key: str, question: str) -> list[Event]:
    url = f"{server.url}/api/chat/stream"
    async with await Sse.open(url, key, body={"message": question}) as stream:
        return await stream.read()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("ask", [over_websocket, over_sse])
async def test_it_streams(server: Server, keys: dict[str, str], ask: Ask, family: str) -> None:
    events = await ask(server, keys[family], QUESTION)
    outcome, done = events[-2], events[-1]
    assert outcome["type"] == "message_complete"
    assert outcome["stopReason"] in ("end_turn", "max_tokens")
    assert "Paris" in text_of(events)
    assert outcome["content"] == text_of(events)
    assert outcome["usage"]["source"] == "provider"
    assert outcome["usage"]["outputTokens"] > 0
    assert done["reason"] == "complete"


@pytest.mark.parametrize("family", FAMILIES)
async def test_it_answers_over_rest(server: Server, keys: dict[str, str], family: str) -> None:
    async with Rest(server.url, keys[family]) as rest:
        answer = await rest.post("/api/chat", {"message": QUESTION})
        assert answer.status_code == 200
        history = await rest.messages(answer.json()["conversationId"])
    assert "Paris" in history[-1]["content"]
    assert history[-1]["status"] == "completed"


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_cancel_frees_the_slot(
    server: Server, keys: dict[str, str], model: SmallModel, family: str
) -> None:
    """P10: the model server computes no token more for an answer that nobody wants."""
    async with await WebSocket.open(server.ws_url, keys[family]) as socket:
        await socket.send(type="message", content="Tell me a very long story about a dragon.")
        await socket.until("token")
        assert await asyncio.to_thread(model.busy_slots) == 1
        await socket.send(type="cancel")
        begun = time.monotonic()
        await socket.until("cancelled")
        while await asyncio.to_thread(model.busy_slots):
            assert time.monotonic() - begun < SLOT_FREE_SECONDS
