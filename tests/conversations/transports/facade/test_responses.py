"""`conversations.transports.facade.responses` and `continuation`: responses and what follows."""

import pytest

from tests.asgi import Response, ask
from tests.conversations.parts import ENDLESS, QUICK

pytestmark = pytest.mark.usefixtures("services")

PATH = "/v1/responses"


def asks(text: str = QUICK, **fields: object) -> dict[str, object]:
    return {"model": "helper", "input": text, **fields}


async def test_a_response_is_made_and_found_again(key) -> None:
    status, made = await ask("POST", PATH, asks(), token=key[1])
    assert (status, made["status"]) == (200, "completed")
    assert made["output"][-1]["content"][0]["text"] == "Hello there"
    status, found = await ask("GET", f"{PATH}/{made['id']}", token=key[1])
    assert (status, found["output"]) == (200, made["output"])


async def test_a_response_goes_on_after_another_one(key) -> None:
    _, first = await ask("POST", PATH, asks(), token=key[1])
    body = asks(previous_response_id=first["id"])
    status, second = await ask("POST", PATH, body, token=key[1])
    assert (status, second["previous_response_id"]) == (200, first["id"])
    path = f"{PATH}/{second['id']}/input_items"
    _, items = await ask("GET", path, token=key[1])
    assert [item["role"] for item in items["data"]] == ["user", "assistant", "user"]
    # Another one after the first begins a conversation of its own.
    status, third = await ask("POST", PATH, body, token=key[1])
    assert (status, third["status"]) == (200, "completed")


async def test_a_response_in_the_background_is_cancelled(key) -> None:
    status, begun = await ask("POST", PATH, asks(ENDLESS, background=True), token=key[1])
    assert status == 200 and begun["status"] in ("queued", "in_progress")
    status, told = await ask("POST", f"{PATH}/{begun['id']}/cancel", token=key[1])
    assert (status, told["status"]) == (200, "cancelled")


async def test_the_stream_has_the_text(key) -> None:
    async with Response("POST", PATH, asks(stream=True), token=key[1]) as response:
        await response.ended()
    assert response.status == 200
    assert "response.output_text.delta" in response.text and "response.completed" in response.text


async def test_a_deleted_response_is_shown_no_more(key) -> None:
    _, made = await ask("POST", PATH, asks(), token=key[1])
    status, told = await ask("DELETE", f"{PATH}/{made['id']}", token=key[1])
    assert (status, told["deleted"]) == (200, True)
    assert (await ask("GET", f"{PATH}/{made['id']}", token=key[1]))[0] == 404


async def test_p24_a_response_of_others_does_not_exist(key, foreign_key) -> None:
    _, made = await ask("POST", PATH, asks(), token=key[1])
    path = f"{PATH}/{made['id']}"
    for method, where in (
        ("GET", path),
        ("DELETE", path),
        ("POST", f"{path}/cancel"),
        ("GET", f"{path}/input_items"),
    ):
        assert (await ask(method, where, token=foreign_key[1]))[0] == 404
    body = {"model": "spy", "input": QUICK, "previous_response_id": made["id"]}
    assert (await ask("POST", PATH, body, token=foreign_key[1]))[0] == 404
