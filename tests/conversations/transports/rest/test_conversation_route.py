"""`conversations.transports.rest.conversation_route`: history, ask and follow at one address."""

import pytest

from tests.asgi import Response, ask
from tests.conversations.parts import QUICK

pytestmark = pytest.mark.usefixtures("services")

PATH = "/api/conversations/docs-1/messages"


@pytest.fixture
async def conversation(services, key) -> str:
    """The address of an empty conversation's messages."""
    status, _ = await ask("POST", "/api/conversations", {"id": "docs-1"}, token=key[1])
    assert status == 201
    return PATH


async def test_what_is_asked_here_is_in_its_history(conversation, key) -> None:
    status, told = await ask("POST", conversation, {"content": QUICK}, token=key[1])
    assert (status, told["content"], told["conversationId"]) == (200, "Hello there", "docs-1")
    status, told = await ask("GET", conversation, token=key[1])
    assert status == 200
    said = [(each["role"], each["content"]) for each in told["messages"]]
    assert said == [("user", QUICK), ("assistant", "Hello there")]


async def test_the_answer_is_a_stream_if_the_client_says_so(conversation, key) -> None:
    for path, body in (
        (f"{conversation}?stream=true", {"content": QUICK}),
        (conversation, {"content": QUICK, "stream": True}),
    ):
        async with Response("POST", path, body, token=key[1]) as response:
            await response.ended()
        assert response.status == 200
        assert "Hello" in response.text and '"reason":"complete"' in response.text


async def test_a_follower_sees_what_others_ask(conversation, key) -> None:
    async with Response("GET", f"{conversation}?stream=true", token=key[1]) as follower:
        await follower.until(lambda: follower.sent)
        assert (await ask("POST", conversation, {"content": QUICK}, token=key[1]))[0] == 200
        await follower.saw('"reason":"complete"')
    assert follower.status == 200


async def test_p24_a_conversation_that_is_not_yours_does_not_exist(
    conversation, foreign_key
) -> None:
    for method, path, body in (
        ("GET", conversation, None),
        ("GET", f"{conversation}?stream=true", None),
        ("POST", conversation, {"content": QUICK}),
    ):
        status, told = await ask(method, path, body, token=foreign_key[1])
        assert (status, told["error"]["code"]) == (404, "conversation_not_found")


async def test_a_message_without_content_is_refused(conversation, key) -> None:
    status, told = await ask("POST", conversation, {"content": " "}, token=key[1])
    assert (status, told["error"]["details"]) == (400, {"field": "content"})
    status, told = await ask("POST", conversation, {"content": " "})
    assert (status, told["error"]["code"]) == (401, "auth_required")
