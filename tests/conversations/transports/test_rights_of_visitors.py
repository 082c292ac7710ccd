"""Rights are looked at when they are used: those of visitors, by their agent as it is now."""

import pytest
from django.utils import timezone

from agents.auth import identity, visitor_tokens
from agents.models import Agent, StreamTicket
from core.database import database_step
from tests.asgi import Response, Socket, ask
from tests.conversations.parts import ENDLESS, QUICK
from tests.conversations.transports.rights import (
    API,
    CUT,
    SHOP,
    change,
    last_error,
    session_of,
    streaming,
)

pytestmark = pytest.mark.usefixtures("services")


async def page_forbidden(agent: Agent) -> None:
    await change(agent, allowed_origins=["https://elsewhere.example"])


async def no_page_at_all(agent: Agent) -> None:
    await change(agent, allowed_origins=[])


async def secret_replaced(agent: Agent) -> None:
    await database_step(identity.new_secret, agent)


async def secret_removed(agent: Agent) -> None:
    await database_step(identity.drop_secret, agent)


async def agent_deleted(agent: Agent) -> None:
    await database_step(agent.delete)


USER_CHANGES = [
    (page_forbidden, "forbidden"),
    (secret_replaced, "invalid_token"),
    (secret_removed, "invalid_token"),
    (agent_deleted, "agent_not_found"),
]


# --- visitors and users


@pytest.mark.parametrize(("how", "code"), USER_CHANGES)
async def test_a_user_s_socket_stream_and_ticket_are_cut(agent, how, code: str) -> None:
    token = await session_of(agent)
    _, made = await ask(
        "POST", f"{API}/stream-tickets", {"message": QUICK}, token=token, origin=SHOP
    )
    ticket = f"{API}/chat/stream?ticket={made['ticket']}"
    async with Socket(f"{API}/ws?token={token}", origin=SHOP) as socket:
        await socket.next("auth_ok")
        async with streaming(token, origin=SHOP) as stream:
            await stream.saw("token")
            await how(agent)
            await socket.closed()
            assert last_error(socket) == code
            await stream.ended()
    for method, path, body in (
        ("GET", f"{API}/conversations", None),
        ("POST", f"{API}/chat", {"message": QUICK}),
    ):
        status, told = await ask(method, path, body, token=token, origin=SHOP)
        assert (status >= 400, told["error"]["code"]) == (True, code)
    status, told = await ask("GET", ticket, origin=SHOP)
    assert status >= 400 and told["error"]["code"] in (code, "invalid_token")
    renewed, _ = await ask("POST", f"{API}/visitor-sessions", {"renew": token}, origin=SHOP)
    assert renewed >= 400


async def test_what_a_ticket_has_opened_ends_with_its_maker_s_rights(agent) -> None:
    token = await session_of(agent)
    body = {"message": ENDLESS}
    tickets = [
        (await ask("POST", f"{API}/stream-tickets", body, token=token, origin=SHOP))[1]["ticket"]
        for _ in range(2)
    ]
    async with (
        Response("GET", f"{API}/chat/stream?ticket={tickets[0]}", origin=SHOP) as stream,
        Socket(f"{API}/ws?ticket={tickets[1]}", origin=SHOP) as socket,
    ):
        await stream.saw("token")
        await socket.next("token")
        await database_step(identity.new_secret, agent)
        assert await socket.closed() == CUT
        await stream.ended()
        assert '"type":"done"' not in stream.text
    again = await ask("GET", f"{API}/chat/stream?ticket={tickets[0]}", origin=SHOP)
    assert again[1]["error"]["code"] == "invalid_token"


async def test_a_ticket_lives_no_longer_than_its_maker_s_token(agent) -> None:
    token = await session_of(agent)
    body = {"message": QUICK}
    _, made = await ask("POST", f"{API}/stream-tickets", body, token=token, origin=SHOP)
    row = await database_step(StreamTicket.objects.get)
    assert row.ends_at == visitor_tokens.read(token).expires_at
    path = f"{API}/chat/stream?ticket={made['ticket']}"
    async with Response("GET", path, origin=SHOP) as stream:
        await stream.ended()
    await database_step(StreamTicket.objects.update, ends_at=timezone.now())
    headers = {"origin": SHOP, "last-event-id": "run_x:1"}
    assert (await ask("GET", path, **headers))[1]["error"]["code"] == "token_expired"


async def test_a_page_that_is_public_no_more(agent) -> None:
    await change(agent, public_page=True, allowed_origins=[])
    host = "helper.localhost:8000"
    home = {"host": host, "origin": f"http://{host}"}
    _, made = await ask("POST", "/api/visitor-sessions", **home)
    async with Socket(f"/api/ws?token={made['token']}", **home) as socket:
        await socket.next("auth_ok")
        await change(agent, public_page=False)
        assert await socket.closed() == 4004


async def test_what_visitors_are_shown_is_as_the_agent_says_now(agent) -> None:
    """A stream that would show less ends, and its client comes back to what it may see."""
    await change(agent, show_thinking=True)
    _, made = await ask("POST", f"{API}/visitor-sessions", origin=SHOP)
    async with Socket(f"{API}/ws?token={made['token']}", origin=SHOP) as socket:
        socket.say(type="message", content=ENDLESS)
        await socket.next("token")
        await change(agent, show_thinking=False)
        assert await socket.closed() == 1012
    assert "reconnect" in [frame["type"] for frame in socket.frames]
