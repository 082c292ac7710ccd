"""`conversations.transports.ws.subscription`: a socket that sees all of a conversation."""

import pytest

from tests.asgi import Socket, ask
from tests.conversations.parts import QUICK
from tests.conversations.transports.rights import API

pytestmark = pytest.mark.usefixtures("services", "agent")


async def signed_in(socket: Socket, token: str) -> None:
    socket.say(type="auth", token=token)
    await socket.next("auth_ok")


async def asks(token: str) -> str:
    """The run of a message that another connection sends into the conversation."""
    body = {"message": QUICK, "conversationId": "docs-1"}
    status, told = await ask("POST", f"{API}/chat", body, token=token)
    assert status == 200
    return str(told["runId"])


async def test_what_another_connection_asks_comes(key) -> None:
    await asks(key[1])
    async with Socket(f"{API}/ws") as socket:
        await signed_in(socket, key[1])
        socket.say(type="subscribe", conversationId="docs-1", id=1)
        assert (await socket.next("subscribed"))["replyTo"] == 1
        run_id = await asks(key[1])
        done = await socket.until(
            lambda: [f for f in socket.frames if f["type"] == "done" and f["runId"] == run_id]
        )
    assert done[0]["reason"] == "complete"


async def test_one_s_own_run_comes_once(key) -> None:
    await asks(key[1])
    async with Socket(f"{API}/ws") as socket:
        await signed_in(socket, key[1])
        socket.say(type="subscribe", conversationId="docs-1", id=1)
        assert (await socket.next("subscribed"))["replyTo"] == 1
        socket.say(type="message", content=QUICK, conversationId="docs-1")
        await socket.next("done")
        socket.say(type="ping", id=2)
        await socket.next("pong")
    assert [frame["type"] for frame in socket.frames].count("done") == 1


async def test_p24_a_conversation_of_others_has_no_subscribers(key, foreign_key) -> None:
    await asks(key[1])
    async with Socket("/a/spy/api/ws") as socket:
        await signed_in(socket, foreign_key[1])
        socket.say(type="subscribe", conversationId="docs-1", id=1)
        assert (await socket.next("error"))["code"] == "conversation_not_found"


async def test_nothing_comes_after_the_end_of_a_subscription(key) -> None:
    await asks(key[1])
    async with Socket(f"{API}/ws") as socket:
        await signed_in(socket, key[1])
        socket.say(type="subscribe", conversationId="docs-1", id=1)
        await socket.next("subscribed")
        socket.say(type="unsubscribe", conversationId="docs-1")
        socket.say(type="ping", id=2)
        await socket.next("pong")
        await asks(key[1])
    assert "run_started" not in [frame["type"] for frame in socket.frames]
