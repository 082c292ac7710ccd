"""`conversations.transports.rest.tickets`: a ticket opens the one stream that it is for."""

import pytest

from tests.asgi import Response, ask
from tests.conversations.parts import QUICK

pytestmark = pytest.mark.usefixtures("services")

TICKETS = "/api/stream-tickets"
SITE = "http://127.0.0.1:8000"


async def made(token: str, **body: object) -> str:
    """The path of a new ticket's stream."""
    status, told = await ask("POST", TICKETS, body, token=token)
    assert status == 201, told
    return str(told["url"]).removeprefix(SITE)


async def test_a_ticket_asks_its_message_once(key) -> None:
    path = await made(key[1], message=QUICK, conversationId="docs-1")
    assert path.startswith("/a/helper/api/chat/stream?ticket=")
    async with Response("GET", path) as response:
        await response.ended()
    assert response.status == 200 and '"reason":"complete"' in response.text
    async with Response("GET", path) as again:
        await again.ended()
    assert again.status == 200 and '"reason":"complete"' in again.text
    _, history = await ask("GET", "/api/conversations/docs-1/messages", token=key[1])
    assert [each["role"] for each in history["messages"]] == ["user", "assistant"]


async def test_a_ticket_follows_a_run(key) -> None:
    _, told = await ask("POST", "/api/chat", {"message": QUICK}, token=key[1])
    async with Response("GET", await made(key[1], runId=told["runId"])) as response:
        await response.ended()
    assert response.status == 200 and told["runId"] in response.text


async def test_a_ticket_is_no_token_for_anything_else(key) -> None:
    path = await made(key[1], message=QUICK)
    ticket = path.partition("ticket=")[2]
    status, told = await ask("GET", f"/api/command-center/stream?ticket={ticket}")
    assert (status, told["error"]["code"]) == (403, "forbidden")
    status, told = await ask("GET", "/api/conversations", token=ticket)
    assert (status, told["error"]["code"]) == (401, "invalid_token")


async def test_p24_there_is_no_ticket_for_what_is_not_yours(key, foreign_key) -> None:
    _, told = await ask("POST", "/api/chat", {"message": QUICK}, token=key[1])
    for body, code in (
        ({"runId": told["runId"]}, "run_not_found"),
        ({"conversationId": told["conversationId"], "agentId": "spy"}, "conversation_not_found"),
    ):
        status, refused = await ask("POST", TICKETS, body, token=foreign_key[1])
        assert (status, refused["error"]["code"]) == (404, code)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "runId"),
        ({"runId": "run_1", "message": "x"}, "runId"),
        ({"commandCenter": True, "message": "x"}, "commandCenter"),
    ],
)
async def test_a_ticket_is_for_one_thing(key, body, field) -> None:
    status, told = await ask("POST", TICKETS, body, token=key[1])
    assert (status, told["error"]["details"]) == (400, {"field": field})


async def test_a_made_up_ticket_opens_nothing(agent) -> None:
    status, told = await ask("GET", "/api/chat/stream?ticket=nonsense")
    assert (status, told["error"]["code"]) == (401, "invalid_token")
