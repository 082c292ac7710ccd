"""`conversations.transports.ws.simple`: the sockets of clients of a few lines."""

import json
from typing import Any

import pytest

from agents.models import Agent
from conversations.models import Conversation, Run
from core.database import database_step
from tests.asgi import Connection, ask
from tests.conversations.parts import ENDLESS, QUICK
from tests.conversations.transports.rights import SHOP, session_of

pytestmark = pytest.mark.usefixtures("services")


class TextSocket(Connection):
    """A WebSocket of plain texts, on a page of the shop."""

    def __init__(self, path: str) -> None:
        super().__init__("websocket", path, {"origin": SHOP})
        self.incoming.put_nowait({"type": "websocket.connect"})

    def say(self, text: str) -> None:
        self.incoming.put_nowait({"type": "websocket.receive", "text": text})

    @property
    def texts(self) -> list[str]:
        return [each["text"] for each in self.sent if "text" in each]

    @property
    def objects(self) -> list[Any]:
        return [json.loads(text) for text in self.texts]

    async def heard(self, text: str, times: int = 1) -> None:
        """Wait until a frame has this text."""
        await self.until(lambda: sum(text in each for each in self.texts) >= times)

    async def closed(self) -> tuple[int, str]:
        last = await self.until(
            lambda: next((each for each in self.sent if each["type"] == "websocket.close"), None)
        )
        return last["code"], last["reason"]


def runs() -> list[Run]:
    return list(Run.objects.order_by("pk"))


@pytest.fixture
async def token(agent: Agent) -> str:
    """Of a visitor."""
    return await session_of(agent)


@pytest.mark.parametrize("path", ["/a/helper/ws/agent?", "/ws/agent?agent=helper&", "/ws/tab-1?"])
async def test_it_works(path: str, token: str) -> None:
    async with TextSocket(f"{path}token={token}") as socket:
        for _ in range(2):
            socket.say(QUICK)
        await socket.heard("[DONE]", 2)
        assert "".join(socket.texts) == "Hello there[DONE]Hello there[DONE]"
    assert await database_step(Conversation.objects.count) == 1


async def test_the_chat_socket_says_chunks(token: str) -> None:
    async with TextSocket(f"/a/helper/ws/chat?token={token}") as socket:
        socket.say(QUICK)
        await socket.heard('"done"')
        *chunks, done = socket.objects
        assert "".join(each["content"] for each in chunks) == "Hello there"
        assert {each["type"] for each in chunks} == {"chunk"}
        assert done == {"type": "done"}


async def test_stop_ends_the_answer_and_not_the_socket(token: str) -> None:
    async with TextSocket(f"/a/helper/ws/chat?token={token}") as socket:
        socket.say(ENDLESS)
        await socket.heard("chunk")
        socket.say("STOP")
        await socket.heard("stopped")
        assert socket.objects[-1] == {"stopped": True}
        before = len(socket.texts)
        socket.say(QUICK)
        await socket.heard('"done"')
        after = socket.objects[before:]
        assert "".join(each.get("content", "") for each in after) == "Hello there"
    assert {run.status for run in await database_step(runs)} == {"cancelled", "completed"}


async def test_thoughts_end_with_an_answer(token: str) -> None:
    async with TextSocket(f"/a/helper/ws/agent-thoughts?token={token}") as socket:
        socket.say(QUICK)
        await socket.heard('"done"')
        assert {each["type"] for each in socket.objects} == {"answer", "done"}


async def test_the_echo_needs_no_model(token: str) -> None:
    async with TextSocket(f"/a/helper/ws/echo?token={token}") as socket:
        socket.say("hello")
        await socket.heard("HELLO")
    assert await database_step(runs) == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("agent", ["[ERROR] The text is empty.", "[DONE]"]),
        ("chat", [{"type": "error", "message": "The text is empty."}, {"type": "done"}]),
        ("agent-thoughts", [{"type": "error", "message": "The text is empty."}, {"type": "done"}]),
    ],
)
async def test_a_text_that_is_refused_ends_too(name: str, told: list[Any], token: str) -> None:
    async with TextSocket(f"/a/helper/ws/{name}?token={token}") as socket:
        socket.say(" ")
        await socket.until(lambda: len(socket.texts) == 2)
        assert (socket.texts if name == "agent" else socket.objects) == told


async def test_a_text_that_is_too_large_is_refused(token: str, settings: Any) -> None:
    settings.CLAW_MAX_MESSAGE_BYTES = 10
    async with TextSocket(f"/a/helper/ws/echo?token={token}") as socket:
        socket.say("é" * 6)
        await socket.heard("[DONE]")
        assert socket.texts[0].startswith("[ERROR] The message is larger")


async def test_two_sockets_of_one_client_both_live(token: str) -> None:
    address = f"/a/helper/ws/client-1?token={token}"
    async with TextSocket(address) as one, TextSocket(address) as other:
        for socket in (one, other):
            socket.say(QUICK)
            await socket.heard("[DONE]")


@pytest.mark.parametrize("query", ["", "?token=", "?token=nonsense", "?token=a.b.c", "?ticket=x"])
async def test_only_a_visitors_token_opens_it(query: str, agent: Agent) -> None:
    async with TextSocket(f"/a/helper/ws/agent{query}") as socket:
        socket.say("hello")
        assert await socket.closed() == (4001, "Invalid token")
        assert socket.texts == []


async def test_a_key_opens_it_not_even_in_a_header(key: Any, agent: Agent) -> None:
    socket = TextSocket("/a/helper/ws/agent")
    socket.scope["headers"].append((b"authorization", f"Bearer {key[1]}".encode()))
    async with socket:
        assert await socket.closed() == (4001, "Invalid token")


@pytest.mark.parametrize("name", ["secure", "robust", "a%20b", "x" * 129])
async def test_some_names_are_taken_or_too_odd(name: str, token: str) -> None:
    socket = TextSocket(f"/a/helper/ws/{name}?token={token}")
    async with socket:
        await socket.until(lambda: socket.sent)
        assert socket.sent[0] == {"type": "websocket.close", "code": 4004}


async def test_the_model_goes_on_after_a_client_has_left(token: str) -> None:
    async with TextSocket(f"/a/helper/ws/agent?token={token}") as socket:
        socket.say(ENDLESS)
        await socket.until(lambda: socket.texts)
    (run,) = await database_step(runs)
    status, _ = await ask("POST", f"/a/helper/api/runs/{run.pk}/cancel", token=token, origin=SHOP)
    assert status == 202


@pytest.mark.parametrize("given", ["Green", "green"])
async def test_a_question_is_told_and_the_next_text_answers_it(
    agent: Agent, token: str, given: str
) -> None:
    """It is no second message: the run goes on, and the answer with it."""
    await database_step(Agent.objects.update, tools=[{"builtin": "ask_user"}])
    async with TextSocket(f"/a/helper/ws/agent?token={token}") as socket:
        socket.say("/ask\n/delay 0")
        await socket.heard("[DONE]")
        asked = "Which colour do you like best?\n- Red\n- Green\n- Blue"
        assert socket.texts == [asked, "[DONE]"]
        socket.say("Purple")
        await socket.heard("[ERROR] The answer is one of the choices.")
        socket.say(given)
        await socket.heard("[DONE]", 3)
        assert "answered:\n\n~~~\nGreen" in "".join(socket.texts)
    assert await database_step(Run.objects.count) == 1
