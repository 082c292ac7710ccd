"""`conversations.transports.facade.ai_sdk`: chats of the AI SDK are asked, resumed and stopped."""

from typing import Any

import pytest

from tests.asgi import Response, ask
from tests.conversations.parts import ENDLESS, QUICK

pytestmark = pytest.mark.usefixtures("services", "agent")

PATH = "/a/helper/api/ai-sdk/chat"


def asks(text: str = QUICK, **fields: Any) -> dict[str, Any]:
    parts = [{"type": "text", "text": text}]
    return {"id": "chat-1", "message": {"id": "m1", "role": "user", "parts": parts}, **fields}


async def test_the_answer_is_a_stream_of_chunks(key) -> None:
    async with Response("POST", PATH, asks(), token=key[1]) as response:
        await response.ended()
    assert response.status == 200
    assert '"type":"text-delta"' in response.text
    assert response.text.endswith("data: [DONE]\n\n")
    headers = {name.lower(): value for name, value in response.sent[0]["headers"]}
    assert headers[b"x-vercel-ai-ui-message-stream"] == b"v1"


async def test_an_answer_is_resumed_and_stopped(key) -> None:
    async with Response("POST", PATH, asks(ENDLESS), token=key[1]) as response:
        await response.saw("text-delta")
        async with Response("GET", f"{PATH}/chat-1/stream", token=key[1]) as resumed:
            await resumed.saw("text-delta")
            status, told = await ask("POST", f"{PATH}/chat-1/stop", token=key[1])
            assert status == 200 and len(told["cancelled"]) == 1
            await resumed.ended()
        await response.ended()


async def test_where_nothing_is_made_there_is_nothing_to_resume(key) -> None:
    assert await ask("GET", f"{PATH}/missing/stream", token=key[1]) == (204, None)
    status, told = await ask("POST", f"{PATH}/missing/stop", token=key[1])
    assert (status, told["cancelled"]) == (200, [])


async def test_an_answer_is_made_again_in_its_place(key) -> None:
    async with Response("POST", PATH, asks(), token=key[1]) as response:
        await response.ended()
    body = asks(trigger="regenerate-message")
    async with Response("POST", PATH, body, token=key[1]) as again:
        await again.ended()
    assert again.status == 200
    _, history = await ask("GET", "/api/conversations/chat-1/messages", token=key[1])
    assert len(history["messages"]) == 2


async def test_p24_a_chat_of_others_is_not_there(key, foreign_key) -> None:
    async with Response("POST", PATH, asks(ENDLESS), token=key[1]) as response:
        await response.saw("text-delta")
        theirs = "/a/spy/api/ai-sdk/chat/chat-1"
        assert (await ask("GET", f"{theirs}/stream", token=foreign_key[1]))[0] == 204
        assert (await ask("POST", f"{theirs}/stop", token=foreign_key[1]))[1]["cancelled"] == []
