"""`conversations.transports.facade.completions`: answers in the form of OpenAI's."""

import pytest

from tests.asgi import Response, ask
from tests.conversations.parts import QUICK

pytestmark = pytest.mark.usefixtures("services")

PATH = "/v1/chat/completions"
ASKED = {"model": "helper", "messages": [{"role": "user", "content": QUICK}]}


async def test_the_whole_answer(key) -> None:
    status, told = await ask("POST", PATH, ASKED, token=key[1])
    (choice,) = told["choices"]
    assert (status, told["object"], told["model"]) == (200, "chat.completion", "helper")
    assert choice["message"]["content"] == "Hello there"
    assert choice["finish_reason"] == "stop"


async def test_the_stream_ends_with_done(key) -> None:
    async with Response("POST", PATH, ASKED | {"stream": True}, token=key[1]) as response:
        await response.ended()
    assert response.status == 200
    assert '"object":"chat.completion.chunk"' in response.text
    assert response.text.endswith("data: [DONE]\n\n")


async def test_p24_an_agent_of_others_is_no_model(key, foreign_agent) -> None:
    for model in ("spy", "missing"):
        status, told = await ask("POST", PATH, ASKED | {"model": model}, token=key[1])
        assert status == 404 and told["error"]["message"]


async def test_a_request_that_is_not_understood(key) -> None:
    status, told = await ask("POST", PATH, {"model": "helper", "messages": []}, token=key[1])
    assert (status, told["error"]["type"]) == (400, "invalid_request_error")
    assert (await ask("POST", PATH, ASKED))[0] == 401
